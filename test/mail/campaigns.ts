/** Campaign messages as real platforms shape them, to put a footer into: written for the tests. */

/** An MJML-like body: nested tables, ghost tables for Outlook, a hidden preheader, zero font sizes on wrappers. */
export function tableCampaign(footer: string, paragraphs = 3, head = ''): string {
  const rows = Array.from({ length: paragraphs }, (_, i) =>
    row(`Paragraph ${i}: how teams like yours cut onboarding time by a third, in plain words &amp; numbers.`),
  ).join('\n');
  return `<!doctype html>
<html lang="en" xmlns="http://www.w3.org/1999/xhtml" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
<head><title>Hello</title><!--[if !mso]><!--><meta http-equiv="X-UA-Compatible" content="IE=edge"><!--<![endif]-->
<meta name="viewport" content="width=device-width, initial-scale=1">
<style type="text/css">#outlook a { padding:0; } body { margin:0;padding:0; } table, td { border-collapse:collapse; } img { border:0;height:auto;line-height:100%; } p { display:block;margin:13px 0; }</style>
<!--[if mso]><noscript><xml><o:OfficeDocumentSettings><o:AllowPNG/><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml></noscript><![endif]-->
<style type="text/css">@media only screen and (min-width:480px) { .column { width:100% !important; max-width: 100%; } } @media only screen and (max-width:479px) { .desktop { display:none !important; } }</style>
<style media="screen and (min-width:480px)">.moz-text-html .column { width:100% !important; }</style>${head}
</head>
<body style="word-spacing:normal;background-color:#F4F4F4;">
<div style="display:none;font-size:1px;color:#ffffff;line-height:1px;max-height:0px;max-width:0px;opacity:0;overflow:hidden;">A word before you read&nbsp;&zwnj;&nbsp;&zwnj;</div>
<div style="background-color:#F4F4F4;">
<!--[if mso | IE]><table align="center" border="0" cellpadding="0" cellspacing="0" style="width:600px;" width="600" ><tr><td style="line-height:0px;font-size:0px;mso-line-height-rule:exactly;"><![endif]-->
<div style="background:#ffffff;background-color:#ffffff;margin:0px auto;max-width:600px;"><table align="center" border="0" cellpadding="0" cellspacing="0" role="presentation" style="background:#ffffff;background-color:#ffffff;width:100%;"><tbody>
${rows}
${row(footer)}
</tbody></table></div>
<!--[if mso | IE]></td></tr></table><![endif]-->
</div></body></html>`;
}

function row(content: string): string {
  return `<tr><td style="direction:ltr;font-size:0px;padding:20px 0;text-align:center;"><div class="column" style="font-size:0px;text-align:left;display:inline-block;vertical-align:top;width:100%;"><table border="0" cellpadding="0" cellspacing="0" role="presentation" width="100%"><tbody><tr><td align="left" style="font-size:0px;padding:10px 25px;word-break:break-word;"><div style="font-family:Helvetica, Arial, sans-serif;font-size:13px;line-height:1.5;text-align:left;color:#333333;">${content}</div></td></tr></tbody></table></div></td></tr>`;
}

/** A hand-written mail from a sales person's tool: paragraphs, no head, no doctype. */
export function plainHtml(footer: string): string {
  return `<div dir="ltr"><p>Hi Sam,</p><p>I saw that you are hiring in Leeds. Worth a short call?</p><p>Best,<br>Robin</p><br>${footer}</div>`;
}

/** The same as text. */
export function plainText(footer: string): string {
  return `Hi Sam,\r\n\r\nI saw that you are hiring in Leeds. Worth a short call?\r\n\r\nBest,\r\nRobin\r\n\r\n${footer}\r\n`;
}
