/** The bench's campaign mail: about 4 KB, two alternatives, footer with policy link and opt-out, as platforms send them. */

const html = paragraphs => `<!DOCTYPE html>
<html><head><title>News</title><style>p { margin: 0 0 12px }</style></head>
<body style="font-family: Arial, sans-serif"><table width="600" align="center"><tr><td>
${paragraphs.map(text => `<p>${text}</p>`).join('\n')}
<p><a href="https://www.client.example/offer?id=3D1">See the offer</a></p>
<p style="font-size: 11px; color: #666666">You receive this because we believe it matters to your work.
<a href="https://www.client.example/privacy">Privacy policy</a> |
<a href="https://www.client.example/unsubscribe?u=42">Unsubscribe</a></p>
</td></tr></table></body></html>`;

const text = paragraphs => `${paragraphs.join('\n\n')}

Privacy policy: https://www.client.example/privacy
Unsubscribe: https://www.client.example/unsubscribe?u=42
`;

/** The message with LF line ends, at least `octets` long: as a file for smtp-source. */
export function campaignMail(octets) {
  const paragraph = 'Our new planning board shows every delivery of the week on one page, and warns before a date slips.';
  const paragraphs = [paragraph];
  let mail = '';
  do {
    paragraphs.push(paragraph);
    mail = compose(paragraphs);
  } while (mail.length < octets);
  return mail;
}

function compose(paragraphs) {
  return `From: Jo at Client <news@client.example>
To: someone@prospect.example
Subject: The planning board
Date: Sat, 21 Nov 2026 10:00:00 +0000
Message-ID: <bench@client.example>
MIME-Version: 1.0
List-Unsubscribe: <https://www.client.example/unsubscribe?u=42>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Content-Type: multipart/alternative; boundary="=_bench"

--=_bench
Content-Type: text/plain; charset=utf-8

${text(paragraphs)}
--=_bench
Content-Type: text/html; charset=utf-8

${html(paragraphs)}
--=_bench--
`;
}
