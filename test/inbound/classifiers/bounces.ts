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
    what: 'an order that cannot be delivered',
    mail: plain('Jane <jane@widgets.example>', 'Re: Delivery problem', 'The parcel could not be delivered, nobody was there.\n').replace(
      'Return-Path: <>',
      'Return-Path: <jane@widgets.example>',
    ),
    rule: undefined,
  },
];
