/** Campaign messages in the shapes in which sending platforms really put them, each with its hostile twins. Written for the tests. */
import { tableCampaign } from '../mail/campaigns.ts';
import {
  ANN,
  header,
  htmlAlone,
  htmlPolicy,
  leaf,
  message,
  multipart,
  ONE_CLICK,
  OPT_OUT,
  OPT_OUT_TEXT,
  type Shape,
  textBeside,
  UNSUBSCRIBE,
} from './platform-parts.ts';

/** To be registered with the client, beside acme.example. */
export const RETURN_PATH_DOMAINS = ['mcsv.example', 'amazonses.example', 'em.grid.example', 'hs.example', 'brevo.example'];
export const TRACKING_HOSTS = ['abc1.r.awstrack.example', 'links.hs.example', 'r.brevo.example', 'click.sequence.example'];

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

/** Mailchimp: quoted-printable, preheader, merge-tag footer; the policy link is left out of click tracking. */
const mailchimp: Shape = {
  name: 'Mailchimp',
  reversePath: 'bounce-mc.us21_1234.5678-bob=there.example@mail31.mcsv.example',
  build(twist) {
    const html = `<!doctype html><html><head><meta charset="UTF-8"><title>Half an hour less</title>
<style type="text/css">p{margin:10px 0;padding:0;} @media only screen and (max-width:480px){ .mcnTextContent{padding-right:18px !important;} }</style></head>
<body style="height:100%;margin:0;padding:0;width:100%;background-color:#FAFAFA;"><!--*|IF:MC_PREVIEW_TEXT|*--><!--[if !gte mso 9]><!----><span class="mcnPreviewText" style="display:none; font-size:0px; line-height:0px; max-height:0px; max-width:0px; opacity:0; overflow:hidden; visibility:hidden; mso-hide:all;">One change in the packing room</span><!--<![endif]-->
<center><table border="0" width="100%" id="bodyTable"><tr><td class="mcnTextContent" style="color:#656565;font-family:Helvetica;font-size:12px;"><h1>Half an hour less per order</h1>
<p>Hi Bob &ndash; <a href="https://acme.us21.list-manage.example/track/click?u=f3a1&amp;id=99&amp;e=7">here is how</a>.</p>
<em>Copyright &copy; 2026 Acme, All rights reserved.</em><br>${htmlPolicy(twist, { style: 'color:#656565;font-weight:normal;text-decoration:underline;', hide: 'font-size:0px;line-height:0px' })} | ${OPT_OUT}</td></tr></table></center>
<img src="https://acme.us21.list-manage.example/track/open.php?u=f3a1" height="1" width="1" alt=""></body></html>`;
    const text = `** Half an hour less per order\n------------------------------------------------------------\n\nHi Bob - here is how.\n\n${textBeside(twist, url => `** Privacy policy (${url})`)}\n** Unsubscribe (${UNSUBSCRIBE})`;
    const parts = [
      leaf({ type: 'text/plain; charset="utf-8"; format="fixed"', encoding: 'quoted-printable', content: text }),
      leaf({ type: 'text/html; charset="utf-8"', encoding: 'quoted-printable', content: html }),
    ];
    const own = ['X-Mailer: MailChimp Mailer - **CID1234**', 'X-MC-User: f3a1', 'Feedback-ID: 212345:212345.1234:us21:mc', ...ONE_CLICK];
    return message(
      header('mc', own, '=?utf-8?Q?Half_an_hour_less=20=E2=8F=B1?='),
      multipart('alternative', '_----------=_MCPart_1838', parts),
    );
  },
};

/** Amazon SES: JavaMail boundaries; the wrapped address is a percent-encoded path segment. */
const ses: Shape = {
  name: 'Amazon SES',
  reversePath: '0102019a8b-6d1f-4ad5-8000-000000@eu-west-1.amazonses.example',
  build(twist) {
    const wrap = (url: string) => `https://abc1.r.awstrack.example/L0/${encodeURIComponent(url)}/1/0102019a8b-6d1f-000000/kx_7Q=412`;
    const html = `<html><body><p>Hi Bob,</p><p>half an hour less per order.</p><hr><small>${htmlPolicy(twist, { wrap, hide: 'visibility:hidden' })} &middot; ${OPT_OUT}</small><img alt="" src="https://abc1.r.awstrack.example/I0/0102019a8b/x=412" style="display: none; width: 1px; height: 1px;"></body></html>`;
    const text = `Hi Bob,\n\nhalf an hour less per order.\n\n${textBeside(twist, url => `Privacy policy: ${wrap(url)}`)}\n${OPT_OUT_TEXT}\n`;
    const parts = [
      leaf({ type: 'text/plain; charset=UTF-8', encoding: '7bit', content: text }),
      leaf({ type: 'text/html; charset=UTF-8', encoding: 'quoted-printable', content: html }),
    ];
    const own = ['X-SES-Outgoing: 2026.11.17-54.240.0.1', 'Feedback-ID: ::1.eu-west-1.abc=:AmazonSES', ...ONE_CLICK];
    return message(header('ses', own), multipart('alternative', '----=_Part_1180_1273.1763373600', parts));
  },
};

/** SendGrid: HTML alone, long lines, the policy link with tracking switched off by an attribute. */
const sendgrid: Shape = {
  name: 'SendGrid',
  reversePath: 'bounces+8412-2f1e-bob=there.example@em.grid.example',
  build(twist) {
    const filler =
      '<div data-role="module-unsubscribe" class="module" style="color:#444444; font-size:12px; line-height:20px; padding:16px; text-align:Center;">';
    const link = htmlAlone(twist, { hide: 'color:#ffffff;background-color:#ffffff' }).replace('<a ', '<a clicktracking="off" ');
    const html = `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd"><html data-editor-version="2" class="sg-campaigns" xmlns="http://www.w3.org/1999/xhtml"><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"><!--[if (gte mso 9)|(IE)]><style type="text/css">body {width: 600px;margin: 0 auto;}</style><![endif]--></head><body><center class="wrapper"><table width="100%"><tr><td bgcolor="#FFFFFF"><p>Hi Bob, <a href="https://u84.ct.grid.example/ls/click?upn=u001.aGVsbG8td29ybGQtdGhpcw">half an hour less</a>.</p>${filler}${link} - ${OPT_OUT}</div></td></tr></table></center></body></html>`;
    return message(
      header('sg', ['X-SG-EID: u001.4xT', ...ONE_CLICK]),
      leaf({ type: 'text/html; charset=us-ascii', encoding: 'quoted-printable', content: html }),
    );
  },
};

/** HubSpot: base64 throughout; its click link holds JSON in base64. */
const hubspot: Shape = {
  name: 'HubSpot',
  reversePath: '1axbnrcrmj-8f2c41@bf07x.hs.example',
  build(twist) {
    const wrap = (url: string) =>
      `https://links.hs.example/events/public/v1/encoded/track/tc/${base64url(JSON.stringify({ v: 2, href: url, id: 'd9c1' }))}`;
    const html = `<!DOCTYPE html><html lang="en"><head><title>Half an hour less</title></head><body><div id="preview_text" style="display:none!important;font-size:1px;color:#EAF0F6;max-height:0;max-width:0;opacity:0;overflow:hidden">One change</div><div class="hse-body-background"><span class="hs_cos_wrapper">Grüße, Bob – half an hour less.</span><p style="font-size:12px;color:#23496d">Acme, 1 Mill Lane, Leeds<br>${htmlPolicy(twist, { wrap, style: 'color:#00a4bd;text-decoration:underline', hide: 'max-height:0;overflow:hidden;display:block' })} ${OPT_OUT}</p></div></body></html>`;
    const text = `Grüße, Bob – half an hour less.\n\n${textBeside(twist, url => `Privacy policy ${wrap(url)}`)}\n\nUnsubscribe ${UNSUBSCRIBE}\n`;
    const parts = [
      leaf({ type: 'text/plain; charset=utf-8', encoding: 'base64', content: text }),
      leaf({ type: 'text/html; charset=utf-8', encoding: 'base64', content: html }),
    ];
    return message(
      header('hs', ['X-HS-Cid: 8f2c41', 'Precedence: bulk', ...ONE_CLICK]),
      multipart('alternative', '=-eZCfFY3RzbNQCg==', parts, '; charset=utf-8'),
    );
  },
};

/** Brevo: the wrapped address is a path segment in base64; 8-bit text. */
const brevo: Shape = {
  name: 'Brevo',
  reversePath: 'bounces-1234-8f2c41@s1.brevo.example',
  build(twist) {
    const wrap = (url: string) => `https://r.brevo.example/tr/cl/${base64url(url)}`;
    const html = `<html><body bgcolor="#ffffff"><table role="presentation"><tr><td class="r13-c"><p style="margin:0">Hallo Bob, eine halbe Stunde weniger je Auftrag.</p></td></tr><tr><td style="font-size:12px;color:#858588">${htmlPolicy(twist, { wrap, label: 'Datenschutzerklärung', hide: 'position:absolute;left:-9999px' })} <a href="${UNSUBSCRIBE}">Abmelden</a></td></tr></table></body></html>`;
    const text = `Hallo Bob, eine halbe Stunde weniger je Auftrag.\n\n${textBeside(twist, url => `Datenschutzerklärung ( ${wrap(url)} )`)}\nAbmelden ( ${UNSUBSCRIBE} )\n`;
    const parts = [
      leaf({ type: 'text/plain; charset=utf-8', encoding: '8bit', content: text }),
      leaf({ type: 'text/html; charset=utf-8', encoding: '8bit', content: html }),
    ];
    return message(
      header('br', ['X-Mailin-EID: MTIz', 'Origin-messageId: <8f2c41@smtp-relay.brevo.example>', ...ONE_CLICK]),
      multipart('alternative', 'sib-8f2c41', parts),
    );
  },
};

/** A sales sequence tool: short HTML that looks typed, the address in the query of its click link. */
const sequence: Shape = {
  name: 'sequence tool',
  reversePath: ANN,
  build(twist) {
    const wrap = (url: string) => `https://click.sequence.example/c?e=41&s=Zk3&url=${encodeURIComponent(url)}`;
    const link = htmlAlone(twist, { wrap, hide: 'opacity:0' });
    const html = `<div dir="ltr">Hi Bob,<br><br>I saw that you pack by hand. Worth ten minutes?<br><br>Ann<br><br><span style="font-size:11px;color:#888">If you'd rather not hear from me, just reply and say so. ${link}</span></div><img src="https://click.sequence.example/o?e=41" width="1" height="1" style="display:none">`;
    return message(
      header('seq', [], 'packing by hand?'),
      leaf({ type: 'text/html; charset="UTF-8"', encoding: 'quoted-printable', content: html }),
    );
  },
};

/** MJML as many builders make it: nested tables, ghost tables for Outlook. */
const mjml: Shape = {
  name: 'MJML builder',
  reversePath: ANN,
  build(twist) {
    const text = `Half an hour less per order.\n\n${textBeside(twist)}\n${OPT_OUT_TEXT}\n`;
    const parts = [
      leaf({ type: 'text/plain; charset=utf-8', encoding: '7bit', content: text }),
      leaf({
        type: 'text/html; charset=utf-8',
        encoding: 'quoted-printable',
        content: tableCampaign(`${htmlPolicy(twist, { hide: 'display:none;mso-hide:all' })} &nbsp;|&nbsp; ${OPT_OUT}`),
      }),
    ];
    return message(header('mjml', ONE_CLICK), multipart('alternative', '--_NmP-8f2c41-Part_1', parts));
  },
};

/** AMP for e-mail: three alternatives, each of which some reader shows. */
const amp: Shape = {
  name: 'AMP',
  reversePath: ANN,
  build(twist) {
    const page = `<!doctype html><html ⚡4email data-css-strict><head><meta charset="utf-8"><script async src="https://cdn.ampproject.example/v0.js"></script><style amp4email-boilerplate>body{visibility:hidden}</style></head><body><p>Half an hour less.</p>${htmlPolicy(twist)} ${OPT_OUT}</body></html>`;
    const html = `<p>Half an hour less.</p><p>${htmlPolicy(twist === 'partial' ? 'honest' : twist)} ${OPT_OUT}</p>`;
    const parts = [
      leaf({ type: 'text/plain; charset=utf-8', encoding: '7bit', content: `Half an hour less.\n\n${textBeside(twist)}\n${OPT_OUT_TEXT}` }),
      leaf({ type: 'text/x-amp-html; charset=utf-8', encoding: 'base64', content: page }),
      leaf({ type: 'text/html; charset=utf-8', encoding: 'quoted-printable', content: html }),
    ];
    return message(header('amp', ONE_CLICK), multipart('alternative', '00000000000088f2c41', parts));
  },
};

export const PLATFORM_SHAPES: readonly Shape[] = [mailchimp, ses, sendgrid, hubspot, brevo, sequence, mjml, amp];
