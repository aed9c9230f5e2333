/** Failures as mail systems tell them, written for these tests: the wording and layout of each, with example domains. */

/** One report, and what is to be read in it: recipients as `address`, or `address!` where nothing will ever be delivered there. */
export interface Sample {
  readonly system: string;
  readonly mail: string;
  readonly recipients: readonly string[];
}

const ORIGINAL = `Return-Path: <bounce+k3@sender.example>
Received: from sender.example by mx.relay.example; Mon, 2 Nov 2026 10:00:00 +0000
Message-ID: <offer-1@sender.example>
From: Sales <sales@sender.example>
To: Jane <jane@widgets.example>
Subject: Offer

Dear Jane`;

/** A report in plain text. */
export function plain(from: string, subject: string, body: string, more = ''): string {
  return `Return-Path: <>\n${more}From: ${from}\nTo: sales@sender.example\nSubject: ${subject}\nMessage-ID: <r1@mx.relay.example>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n${body}`;
}

/** A delivery status report; `groups` are per-recipient fields. */
export function dsn(
  groups: readonly string[],
  { text = 'Your message could not be delivered.', type = 'message/delivery-status', mta = 'mx.relay.example' } = {},
): string {
  return `Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@${mta}>
To: sales@sender.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <r2@${mta}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=utf-8

${text}

--b1
Content-Type: ${type}

Reporting-MTA: dns; ${mta}
X-Postfix-Sender: rfc822; bounce+k3@sender.example

${groups.join('\n\n')}

--b1
Content-Type: text/rfc822-headers

${ORIGINAL.split('\n\n')[0]}

--b1--
`;
}

const failed = (address: string, status: string, diagnostic: string): string =>
  `Final-Recipient: rfc822; ${address}\nAction: failed\nStatus: ${status}\nDiagnostic-Code: smtp; ${diagnostic}`;

const QMAIL = `Hi. This is the qmail-send program at mx.relay.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

`;
const EXIM = `This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

`;
const EXIM_COPY = `\n\n------ This is a copy of the message, including all the headers. ------\n\n${ORIGINAL}`;

export const SAMPLES: readonly Sample[] = [
  {
    system: 'DSN, unknown user',
    mail: dsn([failed('jane@widgets.example', '5.1.1', '550 5.1.1 <jane@widgets.example>: Recipient address rejected: User unknown')]),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'DSN, null MX',
    mail: dsn([failed('jane@widgets.example', '5.1.10', '556 5.1.10 Domain does not accept mail (nullMX)')]),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'DSN, moved',
    mail: dsn([failed('jane@widgets.example', '5.1.6', '551 5.1.6 Mailbox has moved')]),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'DSN, full',
    mail: dsn([failed('jane@widgets.example', '5.2.2', '552 5.2.2 Over quota')]),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'DSN that says 5.1.1 of a full mailbox: the words decide',
    mail: dsn([failed('jane@widgets.example', '5.1.1', '550 5.1.1 The mailbox is full')]),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'DSN that says 5.1.1 of a policy: the words decide',
    mail: dsn([failed('jane@widgets.example', '5.1.1', '550 5.1.1 192.0.2.7 has sent to too many recipients this hour')]),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'DSN, unknown user under 5.7.1',
    mail: dsn([failed('jane@widgets.example', '5.7.1', '550 5.7.1 User unknown')]),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'DSN, unknown user at RCPT under 5.0.0',
    mail: dsn([failed('jane@widgets.example', '5.0.0', '550 No such user')], {
      text: '<jane@widgets.example>: host mx said: 550 No such user (in reply to RCPT TO command)',
    }),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'DSN, unknown user said after the message: a filter',
    mail: dsn([failed('jane@widgets.example', '5.0.0', '550 Unknown user')], {
      text: '<jane@widgets.example>: host mx said: 550 Unknown user (in reply to end of DATA command)',
    }),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'DSN, blocked',
    mail: dsn([
      failed('jane@widgets.example', '5.7.1', '554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using dnsbl.example'),
    ]),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'DSN, DMARC',
    mail: dsn([failed('jane@widgets.example', '5.7.26', '550-5.7.26 Unauthenticated email is not accepted due to domain policy')]),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'DSN, sender address bad',
    mail: dsn([failed('jane@widgets.example', '5.1.8', '553 5.1.8 Domain of sender address does not exist')]),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'DSN, disabled for good',
    mail: dsn([failed('jane@widgets.example', '5.2.1', '550 5.2.1 The email account that you tried to reach is disabled')]),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'DSN, given up after days',
    mail: dsn([failed('jane@widgets.example', '4.4.1', '451 4.4.1 Connection timed out')]),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'DSN, a host that nobody knows',
    mail: dsn([
      'Final-Recipient: rfc822; jane@widgets.example\nAction: failed\nStatus: 5.4.4\nDiagnostic-Code: X-Postfix; Host or domain name not found. Name service error for name=widgets.example type=A: Host not found',
    ]),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'DSN of two, and one that was delivered',
    mail: dsn([
      failed('jane@widgets.example', '5.1.1', '550 5.1.1 User unknown'),
      failed('joe@widgets.example', '5.2.2', '552 5.2.2 Mailbox full'),
      'Final-Recipient: rfc822; ann@widgets.example\nAction: delivered\nStatus: 2.0.0',
    ]),
    recipients: ['jane@widgets.example!', 'joe@widgets.example'],
  },
  {
    system: 'DSN, international (RFC 6533)',
    mail: dsn(['Final-Recipient: utf-8; j\\x{F6}rg@widgets.example\nAction: failed\nStatus: 5.1.1'], {
      type: 'message/global-delivery-status',
    }),
    recipients: ['jörg@widgets.example!'],
  },
  {
    system: 'DSN without its report-type',
    mail: dsn([failed('jane@widgets.example', '5.1.1', '550 5.1.1 User unknown')]).replace('report-type=delivery-status; ', ''),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'DSN cut off in the middle',
    mail: dsn([failed('jane@widgets.example', '5.1.1', '550 5.1.1 User unknown')]).replace(
      /--b1\nContent-Type: text\/rfc822-headers[\s\S]*/,
      '',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'DSN without a recipient; the returned header has one',
    mail: dsn(['Action: failed\nStatus: 5.1.1']),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'DSN of an SRS forwarder',
    mail: dsn([failed('SRS0=AbCd=XY=widgets.example=jane@forward.example', '5.1.1', '550 5.1.1 User unknown')]),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'qmail',
    mail: plain(
      'MAILER-DAEMON@mx.relay.example',
      'failure notice',
      `${QMAIL}<jane@widgets.example>:\n192.0.2.9 does not like recipient.\nRemote host said: 550 5.1.1 unknown user\nGiving up on 192.0.2.9.\n\n--- Below this line is a copy of the message.\n\n${ORIGINAL}`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'qmail, own mailbox',
    mail: plain(
      'MAILER-DAEMON@mx.relay.example',
      'failure notice',
      `${QMAIL}<jane@widgets.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n<joe@widgets.example>:\nSorry, I couldn't find any host named widgets.example. (#5.1.2)\n\n<ann@widgets.example>:\nThe user's mailbox is over quota. (#5.2.2)\n\n--- Below this line is a copy of the message.\n\n${ORIGINAL}`,
    ),
    recipients: ['jane@widgets.example!', 'joe@widgets.example!', 'ann@widgets.example'],
  },
  {
    system: 'Exim',
    mail: plain(
      'Mail Delivery System <Mailer-Daemon@mx.relay.example>',
      'Mail delivery failed: returning message to sender',
      `${EXIM}  jane@widgets.example\n    SMTP error from remote mail server after RCPT TO:<jane@widgets.example>:\n    host mx.widgets.example [192.0.2.9]: 550 5.1.1 User unknown${EXIM_COPY}`,
      'X-Failed-Recipients: jane@widgets.example\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Exim, unrouteable, and a timeout',
    mail: plain(
      'Mail Delivery System <Mailer-Daemon@mx.relay.example>',
      'Mail delivery failed: returning message to sender',
      `${EXIM}  jane@widgets.example\n    Unrouteable address\n  joe@widgets.example\n    retry timeout exceeded${EXIM_COPY}`,
    ),
    recipients: ['jane@widgets.example!', 'joe@widgets.example'],
  },
  {
    system: 'Postfix text alone',
    mail: plain(
      'MAILER-DAEMON@mx.relay.example (Mail Delivery System)',
      'Undelivered Mail Returned to Sender',
      `This is the mail system at host mx.relay.example.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients. It's attached below.\n\n<jane@widgets.example>: host mx.widgets.example[192.0.2.9] said: 550 5.1.1\n    <jane@widgets.example>: Recipient address rejected: User unknown in\n    virtual mailbox table (in reply to RCPT TO command)\n`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'sendmail',
    mail: plain(
      'Mail Delivery Subsystem <MAILER-DAEMON@mx.relay.example>',
      'Returned mail: see transcript for details',
      `The original message was received at Mon, 2 Nov 2026 10:00:00 GMT\nfrom sender.example [192.0.2.1]\n\n   ----- The following addresses had permanent fatal errors -----\n<jane@widgets.example>\n    (reason: 550 5.1.1 <jane@widgets.example>... User unknown)\n\n   ----- Transcript of session follows -----\n... while talking to mx.widgets.example.:\n>>> RCPT To:<jane@widgets.example>\n<<< 550 5.1.1 <jane@widgets.example>... User unknown\n550 5.1.1 <jane@widgets.example>... User unknown\n`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Courier',
    mail: plain(
      '"Courier mail server at mx.relay.example" <@>',
      'NOTICE: mail delivery status.',
      `This is a delivery status notification from mx.relay.example.\n\nUNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<jane@widgets.example>:\n    mx.widgets.example [192.0.2.9]:\n>>> RCPT TO:<jane@widgets.example>\n<<< 550 <jane@widgets.example>... User Unknown\n\n---------------------------------------------------------------------------\n`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Exchange 2003',
    mail: plain(
      'System Administrator <postmaster@widgets.example>',
      'Undeliverable: Offer',
      `Your message\n\n  To:      jane@widgets.example\n  Subject: Offer\n  Sent:    Mon, 2 Nov 2026 10:00:00 -0000\n\ndid not reach the following recipient(s):\n\njane@widgets.example on Mon, 2 Nov 2026 10:00:01 -0000\n    The recipient name is not recognized\n\tThe MTS-ID of the original message is: c=us;a= ;p=widgets\n    MSEXCH:IMS:WIDGETS:EXCHANGE:MX 0 (000C05A6) Unknown Recipient\n`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Exchange 2007',
    mail: plain(
      'Microsoft Exchange <postmaster@widgets.example>',
      'Undeliverable: Offer',
      `Delivery has failed to these recipients or distribution lists:\n\nJane<mailto:jane@widgets.example>\nThe recipient's e-mail address was not found in the recipient's e-mail system.\n\nDiagnostic information for administrators:\n\nGenerating server: mx.widgets.example\n\njane@widgets.example\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n\nOriginal message headers:\n\n${ORIGINAL}`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Exchange 2007, German',
    mail: plain(
      'Microsoft Outlook <postmaster@widgets.example>',
      'Unzustellbar: Angebot',
      `Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:\n\njane@widgets.example\nDie eingegebene E-Mail-Adresse konnte nicht gefunden werden.\n\nDiagnoseinformationen für Administratoren:\n\njane@widgets.example\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'\n\nUrsprüngliche Nachrichtenkopfzeilen:\n\n${ORIGINAL}`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Gmail',
    mail: plain(
      'Mail Delivery Subsystem <mailer-daemon@mail.relay.example>',
      'Delivery Status Notification (Failure)',
      `Delivery to the following recipient failed permanently:\n\n     jane@widgets.example\n\nTechnical details of permanent failure:\nGoogle tried to deliver your message, but it was rejected by the server for the recipient domain widgets.example by mx.widgets.example.\n\nThe error that the other server returned was:\n550 5.1.1 <jane@widgets.example>... User unknown\n\n----- Original message -----\n\n${ORIGINAL}`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Gmail, HTML, quota',
    mail: plain(
      'Mail Delivery Subsystem <mailer-daemon@mail.relay.example>',
      'Delivery Status Notification (Failure)',
      `<html><body><h2>Recipient inbox full</h2><p>Your message couldn't be delivered to <b>jane@widgets.example</b>. Their inbox is full, or it's getting too much mail right now.</p></body></html>`,
    ).replace('text/plain', 'text/html'),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'Yahoo',
    mail: plain(
      'MAILER-DAEMON@mail.relay.example',
      'Failure Notice',
      `Sorry, we were unable to deliver your message to the following address.\n\n<jane@widgets.example>:\n554: delivery error: dd This user doesn't have a widgets.example account (jane@widgets.example) [0] - mta.widgets.example\n\n--- Below this line is a copy of the message.\n\n${ORIGINAL}`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Domino',
    mail: plain(
      'Mail Router <postmaster@widgets.example>',
      'DELIVERY FAILURE: User jane (jane@widgets.example) not listed in Domino Directory',
      `Your message\n\n  Subject: Offer\n\nwas not delivered to:\n\n  jane@widgets.example\n\nbecause:\n\n  User jane (jane@widgets.example) not listed in Domino Directory\n`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Notes',
    mail: plain(
      'Postmaster@widgets.example',
      'DELIVERY FAILURE REPORT',
      `DELIVERY FAILURE REPORT\n------- Failure Reasons  --------\n\nUser not listed in public Name & Address Book\njane@widgets.example\n\n------- Returned Message --------\n\n${ORIGINAL}`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'GroupWise',
    mail: plain(
      'Mailer-Daemon@widgets.example',
      'Message status - undeliverable',
      `The message that you sent was undeliverable to the following:\n\tjane@widgets.example (user not found)\n\nPossibly truncated original message follows:\n\n${ORIGINAL}`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'IMail',
    mail: plain(
      'Postmaster <postmaster@widgets.example>',
      'Undeliverable Mail',
      `Unknown user: jane@widgets.example\n\n\nOriginal message follows.\n\n${ORIGINAL}`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'James',
    mail: plain(
      'postmaster@relay.example',
      'Re:Offer',
      `Hi. This is the James mail server at mx.relay.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.  Below\nI include the list of recipients and the reason why I was unable to deliver\nyour message.\n\nFailed recipient(s):\njane@widgets.example\n\nError message:\n550 5.1.1 unknown user\n`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'MailMarshal',
    mail: plain(
      'postmaster@relay.example',
      'Undeliverable Mail: "Offer"',
      `Your message:\n    From:    sales@sender.example\n    Subject: Offer\nCould not be delivered because of\n\n550 5.1.1 User unknown\n\nThe following recipients were affected: \n    jane@widgets.example\n\nAdditional Information\n======================\nOriginal Sender:    <sales@sender.example>\n`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'MailFoundry',
    mail: plain(
      'MAILER-DAEMON@relay.example',
      'Message delivery has failed',
      `This is a MIME encapsulated message\n\nUnable to deliver message to: <jane@widgets.example>\nDelivery failed for the following reason:\nServer mx.widgets.example[192.0.2.9] failed with: 550 5.1.1 No such user here\n\nThis has been a permanent failure.  No further delivery attempts will be made.\n`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'DragonFly',
    mail: plain(
      'MAILER-DAEMON <>',
      'Mail delivery failed',
      `This is the DragonFly Mail Agent at relay.example.\n\nThere was an error delivering your mail to <jane@widgets.example>.\n\nmx.widgets.example [192.0.2.9] did not like our RCPT TO:\n550 5.1.1 User unknown\n\nMessage headers follow.\n\n${ORIGINAL}`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'OpenSMTPD',
    mail: plain(
      'Mailer Daemon <MAILER-DAEMON@relay.example>',
      'Delivery status notification: failed',
      `    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\njane@widgets.example: 550 5.1.1 User unknown\njoe@widgets.example: 552 5.2.2 Mailbox full\n\n    Below is a copy of the original message:\n\n${ORIGINAL}`,
    ),
    recipients: ['jane@widgets.example!', 'joe@widgets.example'],
  },
  {
    system: 'Trouble delivering',
    mail: plain(
      'MAILER-DAEMON@relay.example (Mail Delivery System)',
      'There was an error sending your mail',
      `We had trouble delivering your message. Full details follow:\n\nSubject: 'Offer'\nDate: Mon, 02 Nov 2026 10:00:00 +0000\n\n1 error(s):\n\nSMTP Server <mx.widgets.example> rejected recipient <jane@widgets.example> \n  (Error following RCPT command). It responded as follows: [550 5.1.1 unknown user]\n`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Zoho',
    mail: plain(
      'mailer-daemon@mail.relay.example',
      'Undelivered Mail Returned to Sender',
      `This message was created automatically by mail delivery software.\n A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.\n\njane@widgets.example, ERROR CODE :550 - 5.1.1 User does not exist\n`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Amazon SES',
    mail: plain(
      'MAILER-DAEMON@email-bounces.relay.example',
      'Delivery Status Notification (Failure)',
      `An error occurred while trying to deliver the mail to the following recipients:\njane@widgets.example\n\nTechnical report:\n\nReporting-MTA: dsn; a1.relay.example\n\nAction: failed\nFinal-Recipient: rfc822; jane@widgets.example\nDiagnostic-Code: smtp; 550 5.1.1 user unknown\nStatus: 5.1.1\n`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Japanese carrier',
    mail: plain(
      'Mail Delivery Subsystem <MAILER-DAEMON@carrier.example>',
      'Mail System Error - Returned Mail',
      `The user(s) account is disabled.\n\n<jane@carrier.example>: 550 User unknown\n\n次のあて先へのメッセージはエラーのため送信できませんでした。\n`,
    ),
    recipients: ['jane@carrier.example'],
  },
  {
    system: 'Japanese, in words',
    mail: plain(
      'postmaster@carrier.example',
      '配信不能: 提案',
      `以下のメールは配信できませんでした。\n\n宛先: jane@carrier.example\n理由: 宛先のユーザが存在しません\n`,
    ),
    recipients: ['jane@carrier.example!'],
  },
  {
    system: 'French',
    mail: plain(
      'postmaster@widgets.example',
      'Non remis : Offre',
      `Votre message n'a pas pu être remis à :\n\n  jane@widgets.example\n\nMotif : destinataire inconnu\n`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Spanish, full',
    mail: plain(
      'postmaster@widgets.example',
      'No se puede entregar: Oferta',
      `No se pudo entregar el mensaje a:\n\n  jane@widgets.example\n\nEl buzón del destinatario está lleno\n`,
    ),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'Russian',
    mail: plain(
      'mailer-daemon@widgets.example',
      'Недоставленное сообщение',
      `Ваше сообщение не было доставлено.\n\njane@widgets.example\n  Такого пользователя нет\n`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Chinese',
    mail: plain('postmaster@widgets.example', '系统退信', `您的邮件无法送达。\n\n收件人: jane@widgets.example\n原因: 收件人不存在\n`),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Active!hunter',
    mail: plain(
      'MAILER-DAEMON@x.example',
      'FAILURE NOTICE :',
      `  ----- The following addresses had permanent fatal errors -----\n\n>>> jane@widgets.example <jane@widgets.example>\n550 sorry, no mailbox here by that name (#5.1.1 - chkusr)\n\n  ----- original message follows -----\n\n${ORIGINAL}`,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Biglobe',
    mail: plain(
      'postmaster@biglobe.ne.jp',
      'Returned mail:',
      "   ----- The following addresses had delivery problems -----\n<jane@widgets.example>\n\n   ----- Non-delivered information -----\nThe number of messages in recipient's mailbox exceeded the local limit.\n\n----- The original message follows -----\n" +
        ORIGINAL,
    ),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'KDDI',
    mail: plain(
      'no-reply@app.auone-net.example',
      'Mail Delivery Failed',
      'Your mail sent on: Thu, 29 Apr 2010 11:04:47 +0900\n     Could not be delivered to: <jane@widgets.example>\n     As their mailbox is full.\n',
    ),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'a carrier, an account that is none',
    mail: plain(
      'MAILER-DAEMON@x.example',
      'Delivery failure',
      "Message from x.example.\nUnable to deliver message to the following address(es).\n\n<jane@widgets.example>:\nThis user doesn't have a widgets.example account (jane@widgets.example) [0]\n\n--- Original message follows.\n\n" +
        ORIGINAL,
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'a list with stars',
    mail: plain(
      'Mail Delivery System <>',
      'Delivery status notification',
      '      This is an automatically generated Delivery Status Notification.      \n\nDelivery to the following recipients failed permanently:\n\n   * jane@widgets.example\n\n   SMTP:Received SMTP error response: 550 5.1.1 Unknown user\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'a status pasted into text',
    mail: plain(
      'MAILER-DAEMON <MAILER-DAEMON@ismtpd.example>',
      'Undelivered Mail Returned to Sender',
      'Hello, this is the mail server on ismtpd.\n\nI am sending you this message to inform you on the delivery status of a message you previously sent. Immediately below you will find a list of the affected recipients; also attached is a Delivery Status Notification (DSN) report in standard format.\n\nFinal-Recipient: rfc822; jane@widgets.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: 550 5.1.1 unknown recipient\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Yandex, under 5.7.1',
    mail: dsn([
      'Final-Recipient: rfc822; jane@widgets.example\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; 550 5.7.1 No such user!',
    ]),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Mimecast, invalid recipient',
    mail: dsn([
      'Final-Recipient: rfc822; jane@widgets.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550',
    ]),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Mimecast, policy',
    mail: dsn([
      'Final-Recipient: rfc822; jane@widgets.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 554 Email rejected due to security policies - https://community.mimecast.com',
    ]),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'Netscape',
    mail: plain(
      'postmaster@x.example',
      'Undeliverable Mail',
      'This Message was undeliverable due to the following reason:\n\nThe user(s) account is temporarily over quota.\n\nThe following recipients did not receive this message:\n\n<jane@widgets.example>\n\nPlease reply to Postmaster@x.example\n',
    ),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'a wireless provider',
    mail: plain(
      'MAILER-DAEMON@x.example',
      'Delivery Failure',
      'The following message, sent to you, was undeliverable\nMail from: sales@sender.example\nMail to: jane@widgets.example\n\nreason: Unknown user\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Sina',
    mail: plain(
      'MAILER-DAEMON@sina.example',
      '失败通知',
      '您好！这是sina邮件系统\n您的邮件无法送达以下地址:\n\n<jane@widgets.example>:\n550 5.1.1 user not found\n\n--- 附件中是原邮件\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Verizon',
    mail: plain(
      'Post_Office@vtext.example',
      'Undeliverable Message',
      'Message could not be delivered to mobile.\nError: No valid recipients for this MM\n\nTo: jane@widgets.example\nFrom: sales@sender.example\n',
    ),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'SurfControl',
    mail: plain(
      'SurfControl Email <postmaster@x.example>',
      'Message delivery has failed',
      'Your message could not be delivered.\n\nThe following recipients:\njane@widgets.example: [192.0.2.1], 550 5.1.1 <jane@widgets.example>... User unknown\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Office 365, full',
    mail: plain(
      'Microsoft Outlook <postmaster@outlook.example>',
      'Undeliverable: Offer',
      "Delivery has failed to these recipients or groups:\n\njane@widgets.example (jane@widgets.example)\nThe recipient's mailbox is full and can't accept messages now. Please try resending your message later, or contact the recipient directly.\n\nDiagnostic information for administrators:\n\nGenerating server: x.prod.outlook.example\n\njane@widgets.example\nRemote Server returned '554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded'\n\nOriginal message headers:\n\n" +
        ORIGINAL,
    ),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'Office 365, HTML alone',
    mail: plain(
      'Microsoft Outlook <postmaster@outlook.example>',
      'Undeliverable: Offer',
      '<html><body><p>Your message to <a href="mailto:jane@widgets.example">jane@widgets.example</a> couldn\'t be delivered.</p><p>jane wasn\'t found at widgets.example.</p><table><tr><td>sales</td><td>Office 365</td><td>jane</td></tr><tr><td>Action Required</td><td>Recipient</td></tr><tr><td>Unknown To address</td></tr></table><p>How to Fix It: The address may be misspelled or may not exist.</p></body></html>',
    ).replace('text/plain', 'text/html'),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Exchange 2007, German, full',
    mail: plain(
      'Microsoft Exchange <postmaster@w.example>',
      'Unzustellbar: Angebot',
      'Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Verteilerlisten:\n\njane@widgets.example\nDas Postfach des Empfängers ist voll und kann zurzeit keine Nachrichten empfangen.\n\nDiagnoseinformationen für Administratoren:\n\njane@widgets.example\n#552 5.2.2 STOREDRV.Deliver: mailbox full.\n',
    ),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'Exchange 2007, French',
    mail: plain(
      'postmaster@w.example',
      'Non remis : Offre',
      "Échec de la remise pour ces destinataires ou groupes :\n\njane@widgets.example\nL'adresse de messagerie que vous avez entrée est introuvable.\n\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n",
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'GMX',
    mail: plain(
      'GMX Mailer Daemon <mailer-daemon@gmx.example>',
      'Mail delivery failed: returning message to sender',
      'This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of\nits recipients. This is a permanent error. The following address\nfailed:\n\n"jane@widgets.example":\nSMTP error from remote server after RCPT command:\nhost: mx.widgets.example\n5.1.1 <jane@widgets.example>... User Unknown\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: '1&1, size',
    mail: plain(
      'mailer-daemon@kundenserver.example',
      'Mail delivery failed: returning message to sender',
      'This message was created automatically by mail delivery software.\n\nA message that you have sent could not be delivered to one or more\nrecipients. This is a permanent error.  The following address failed:\n\n  jane@widgets.example:\n\n  Mail size limit exceeded. For explanation visit http://x\n',
    ),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'Barracuda',
    mail: plain(
      'MAILER-DAEMON@x.example',
      '**Message you sent blocked by our bulk email filter**',
      'Your message to: jane@widgets.example\nwas blocked by our Spam Firewall. The email you sent with the following subject has NOT BEEN DELIVERED:\n\nSubject: Offer\n',
    ),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'MDaemon',
    mail: plain(
      'MDaemon at x.example <MDaemon@x.example>',
      'Permanent Delivery Failure',
      'Your message with subject "Offer" was unable to be delivered.\n\nThe following recipient(s) could not be reached:\n  jane@widgets.example\n\n--- Session Transcript ---\n<-- 550 5.1.1 User unknown\n--> QUIT\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Exchange 5.5',
    mail: plain(
      'Mail Server <postmaster@x.example>',
      'Undeliverable: Offer',
      'Your message did not reach some or all of the intended recipients.\n\n     Subject: Offer\n     Sent: 1.1.\n\nThe following recipient(s) could not be reached:\n\n   jane@widgets.example on 1.1.2026 10:00\n            The e-mail account does not exist at the organization this message was sent to.  Check the e-mail address, or contact the recipient directly to find out the correct address.\n            <mx.x.example #5.1.1>\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Zimbra, full',
    mail: dsn([
      'Final-Recipient: rfc822; jane@widgets.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: x-unix; mailbox exceeds quota',
    ]),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'Mail.ru',
    mail: plain(
      'mailer-daemon@corp.mail.example',
      'Mail failure.',
      'Это письмо создано автоматически сервером Mail.Ru, отвечать на него не нужно.\n\nК сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям:\n\n  jane@widgets.example\n    SMTP error from remote mail server after RCPT TO:<jane@widgets.example>: 550 Message was not accepted -- invalid mailbox.  Local mailbox jane@widgets.example is unavailable: user not found\n\n**********************\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'CommuniGate, full',
    mail: plain(
      'postmaster@x.example',
      'Undeliverable mail',
      "Failed to deliver to 'jane@widgets.example'\nLOCAL module(account jane) reports:\n account is full (quota exceeded)\n",
    ),
    recipients: ['jane@widgets.example'],
  },
  {
    system: 'CommuniGate',
    mail: plain('postmaster@x.example', 'Undeliverable mail', "Failed to deliver to '<jane@widgets.example>'\nmailbox name is not known\n"),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Symantec',
    mail: plain(
      'postmaster@x.example',
      'Delivery failure',
      'I was unable to deliver your message to the following addresses:\n\njane@widgets.example\n\nReason: 550 Unknown user (in reply to RCPT TO)\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Mercury',
    mail: plain(
      'Mail Delivery Subsystem <MAILER-DAEMON@x.example>',
      'Delivery failure notification',
      'With reference to your message with the subject:\n   "Offer"\n\nThe local mail transport system has reported the following problems\nit encountered while trying to deliver your message:\n\n-------------------------------------------------------------------\n*** jane@widgets.example\n   550 5.1.1 unknown user\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Italian',
    mail: plain(
      'postmaster@x.example',
      'Mancato recapito: Offerta',
      'Il messaggio non può essere recapitato a:\n\njane@widgets.example\n\nperché la casella non esiste\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Portuguese',
    mail: plain(
      'postmaster@x.example',
      'Não é possível entregar: Oferta',
      'Sua mensagem não pôde ser entregue:\n\njane@widgets.example\nO endereço de e-mail não foi encontrado\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Dutch',
    mail: plain(
      'postmaster@x.example',
      'Onbestelbaar: Aanbod',
      'Uw bericht kon niet worden bezorgd bij jane@widgets.example.\n\nHet e-mailadres bestaat niet.\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Exchange 2007, Japanese',
    mail: plain(
      'postmaster@x.example',
      '配信不能: 提案',
      '次の受信者またはグループへの配信に失敗しました:\n\njane@widgets.example\n入力した電子メール アドレスが見つかりませんでした。\n\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Exim, given up, and a limit',
    mail: plain(
      'Mail Delivery System <Mailer-Daemon@x.example>',
      'Mail delivery failed: returning message to sender',
      'This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  jane@widgets.example\n    retry time not reached for any host after a long failure period\n  joe@widgets.example\n    Domain widgets.example has exceeded the max emails per hour (500/500 (100%)) allowed.  Message discarded.\n',
    ),
    recipients: ['jane@widgets.example', 'joe@widgets.example'],
  },
  {
    system: 'Exim, content, and no host',
    mail: plain(
      'Mail Delivery System <Mailer-Daemon@x.example>',
      'Mail delivery failed: returning message to sender',
      'This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  jane@widgets.example\n    host mx.widgets.example [192.0.2.1]\n    SMTP error from remote mail server after end of data:\n    550 5.7.1 Content rejected\n  ann@widgets.example\n    all relevant MX records point to non-existent hosts\n',
    ),
    recipients: ['jane@widgets.example', 'ann@widgets.example!'],
  },
  {
    system: 'German',
    mail: plain(
      'Mail Delivery System <mailer-daemon@t-online.example>',
      'Mail delivery failed: Nachricht nicht zugestellt',
      'Ihre Nachricht konnte nicht zugestellt werden an:\n\njane@widgets.example\n\nGrund: Empfänger unbekannt\n',
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'iCloud',
    mail: dsn([
      'Final-Recipient: rfc822; jane@widgets.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 <jane@widgets.example>: inactive email address',
    ]),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'QQ',
    mail: dsn(
      [
        'Final-Recipient: rfc822; jane@widgets.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 Mailbox not found. http://service.mail.qq.com',
      ],
      { text: '<jane@widgets.example>: host mx said: 550 Mailbox not found (in reply to RCPT TO command)' },
    ),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Orange',
    mail: dsn([
      'Final-Recipient: rfc822; jane@widgets.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416',
    ]),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Orange, archived',
    mail: dsn([
      'Final-Recipient: rfc822; jane@widgets.example\nAction: failed\nStatus: 5.2.1\nDiagnostic-Code: smtp; 550 5.2.1 Boite du destinataire archivee. Archived recipient. OFR_417',
    ]),
    recipients: ['jane@widgets.example!'],
  },
  {
    system: 'Microsoft, access denied',
    mail: dsn([
      'Final-Recipient: rfc822; jane@widgets.example\nAction: failed\nStatus: 5.4.1\nDiagnostic-Code: smtp; 550 5.4.1 Recipient address rejected: Access denied. AS(201806281)',
    ]),
    recipients: ['jane@widgets.example'],
  },
];

/** Not failures, each with the rule that says so; undefined: no report at all, others judge. */
export const OTHERS: readonly { readonly what: string; readonly mail: string; readonly rule: string | undefined }[] = [
  {
    what: 'a delay in a DSN',
    mail: dsn(['Final-Recipient: rfc822; jane@widgets.example\nAction: delayed\nStatus: 4.4.1']),
    rule: 'bounce/delayed',
  },
  {
    what: 'a receipt of delivery',
    mail: dsn(['Final-Recipient: rfc822; jane@widgets.example\nAction: delivered\nStatus: 2.0.0']),
    rule: 'bounce/delivered',
  },
  {
    what: 'relayed to where nobody reports',
    mail: dsn(['Final-Recipient: rfc822; jane@widgets.example\nAction: relayed\nStatus: 2.0.0']),
    rule: 'bounce/relayed',
  },
  {
    what: 'a delay in text',
    mail: plain(
      'Mail Delivery System <Mailer-Daemon@mx.relay.example>',
      'Warning: message 1abc delayed 24 hours',
      'This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours.\n\n  jane@widgets.example\n\nNo action is required on your part. Delivery attempts will continue for\nsome time.\n',
    ),
    rule: 'bounce/delayed',
  },
  {
    what: 'a read receipt',
    mail: dsn(['Final-Recipient: rfc822; jane@widgets.example\nDisposition: manual-action/MDN-sent-manually; displayed'], {
      type: 'message/disposition-notification',
    }),
    rule: 'bounce/read-receipt',
  },
  {
    what: 'a person who quotes a bounce',
    mail: plain(
      'Jane <jane@widgets.example>',
      'Re: Undelivered Mail Returned to Sender',
      'Please take me off your list, I get these all the time.\n\n> This is the mail system at host mx.relay.example.\n> your message could not be delivered to one or more recipients.\n> <joe@widgets.example>: 550 5.1.1 User unknown\n',
    ).replace('Return-Path: <>', 'Return-Path: <jane@widgets.example>'),
    rule: undefined,
  },
  {
    what: 'a person who tells of one',
    mail: plain(
      'Jane <jane@widgets.example>',
      'Re: Offer',
      'My answer to you could not be delivered: user unknown. What is your address?\n',
    ).replace('Return-Path: <>', 'Return-Path: <jane@widgets.example>'),
    rule: undefined,
  },
  {
    what: 'an auto-reply with the null return path',
    mail: plain(
      'Jane <jane@widgets.example>',
      'Automatic reply: Offer',
      'I am out of the office until Monday.\n',
      'Auto-Submitted: auto-replied\n',
    ),
    rule: undefined,
  },
  {
    what: 'one who has left, told by an auto-reply',
    mail: plain(
      'Jane <jane@widgets.example>',
      'Automatic reply: Offer',
      'Jane is no longer with the company. This mailbox is not read.\n',
      'Auto-Submitted: auto-replied\n',
    ),
    rule: undefined,
  },
  {
    what: 'an opt-out of a postmaster',
    mail: plain('Postmaster <postmaster@widgets.example>', 'Re: Offer', 'Please remove us from your list.\n').replace(
      'Return-Path: <>',
      'Return-Path: <postmaster@widgets.example>',
    ),
    rule: undefined,
  },
  {
    what: 'a postmaster who writes of unknown users',
    mail: plain(
      'Postmaster <postmaster@widgets.example>',
      'Re: Offer',
      'Delivery failed, so to say: user unknown here. Remove us from your list!\n',
    ).replace('Return-Path: <>', 'Return-Path: <postmaster@widgets.example>'),
    rule: undefined,
  },
  {
    what: 'an order that cannot be delivered',
    mail: plain('Jane <jane@widgets.example>', 'Re: Delivery problem', 'The parcel could not be delivered, nobody was there.\n').replace(
      'Return-Path: <>',
      'Return-Path: <jane@widgets.example>',
    ),
    rule: undefined,
  },
];
