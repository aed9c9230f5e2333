/** Octets to text: charset labels as mail uses them, and those whose octets readers take differently. */
import { isAscii, isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';

// Labels seen in mail that the Encoding Standard (what TextDecoder goes by) does not list.
const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'utf-8': 'utf8 utf_8 utf-8n utf8mb4 utf-8-mac cesu-8 csutf8 x-utf-8',
    'windows-1250': 'windows1250 win-1250 win1250 ms-ee',
    'windows-1251': 'windows1251 win-1251 win1251 ms-cyrl',
    'windows-1252': 'windows1252 win-1252 win1252 cp-1252 ms-ansi latin-1 latin_1 iso8859_1 8859-1 iso-latin-1 iso-8859-1-windows-1252',
    'windows-1254': 'latin-5',
    'iso-8859-2': 'latin-2 iso8859_2',
    'iso-8859-15': 'latin-9 latin9 iso8859_15 iso-8859-15-windows',
    'iso-2022-jp': 'iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-3 iso-2022-jp-2004 iso-2022-jp-ms csiso2022jp2 iso2022jp cp50220 cp50221',
    shift_jis: 'cp932 ms932 windows-932 sjis-win shift-jis-2004',
    gb18030: 'gb-18030 cp936 ms936 windows-936 x-gbk gbk2312',
    'euc-kr': 'cp949 ms949 uhc windows-949-2000',
    big5: 'cp950 ms950 windows-950',
    'utf-16le': 'utf16le utf-16-le',
    'utf-16be': 'utf16be utf-16-be',
  }).flatMap(([label, others]) => others.split(' ').map(other => [other, label] as const)),
);

// No byte order: RFC 2781 §4.3 says big endian, the Encoding Standard little.
const UTF_16 = new Set(['utf-16', 'utf16', 'unicode', 'ucs-2', 'ucs2', 'iso-10646-ucs-2', 'csunicode', 'unicodefeff', 'unicodefffe']);

/** Charsets in which ASCII octets may stand for something else, and which TextDecoder does not know: a reader that does sees another text. */
const UNREADABLE =
  /utf-?_?7|utf-?_?32|ucs-?4|hz-gb|^hz$|iso-?2022(?!-?jp)|ebcdic|scsu|bocu|punycode|x-user-defined|^(?:x-)?(?:cp|ibm)-?0?(?:037|1026|1047|114\d|273|277|278|280|284|285|290|297|420|423|424|500|870|871|880|905|924)$/;

// Nothing was said of the octets, or nothing that is known: ASCII, and beyond it UTF-8 where they can be, else windows-1252.
const GUESSED = '';

const decoders = new Map<string, TextDecoder>();

/** Why readers would make different texts of these octets; undefined where they agree. `label` in lower case. */
export function charsetFault(label: string | undefined, octets: () => Buffer): string | undefined {
  const name = plain(label);
  if (UNREADABLE.test(name)) return 'charset that readers take differently';
  if (!UTF_16.has(name)) return undefined;
  return byteOrder(octets()) === undefined ? 'UTF-16 without a byte order' : undefined;
}

/** The text of the octets; what is malformed becomes U+FFFD, a byte order mark is dropped. Never throws. */
export function decodeCharset(octets: Buffer, label: string | undefined): string {
  const name = canonical(plain(label), octets);
  if (name !== 'iso-2022-jp' && !name.startsWith('utf-16') && isAscii(octets)) return octets.toString('latin1');
  const decoder = decoderFor(name === GUESSED ? guess(octets) : name) ?? decoderFor(guess(octets));
  return decoder === undefined ? octets.toString('latin1') : decoder.decode(octets);
}

function canonical(name: string, octets: Buffer): string {
  if (UTF_16.has(name)) return byteOrder(octets) ?? 'utf-16be';
  // Senders who declare ASCII and send more mean UTF-8, or what their machine has.
  if (/^(?:us-?)?ascii$|^ansi_x3|^iso_?646|^iso-ir-6$|^646$|^cp367$|^ibm367$|^csascii$/.test(name)) return GUESSED;
  return ALIASES.get(name) ?? name;
}

function plain(label: string | undefined): string {
  return (label ?? '').replace(/^['"\s]+/, '').replace(/['"\s].*$/s, '');
}

function guess(octets: Buffer): string {
  return isUtf8(octets) ? 'utf-8' : 'windows-1252';
}

function byteOrder(octets: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (octets[0] === 0xff && octets[1] === 0xfe) return 'utf-16le';
  return octets[0] === 0xfe && octets[1] === 0xff ? 'utf-16be' : undefined;
}

/** Decoders are kept by label: only labels that TextDecoder knows, so that strangers' labels cannot fill memory. */
function decoderFor(label: string): TextDecoder | undefined {
  const known = decoders.get(label);
  if (known !== undefined) return known;
  try {
    const made = new TextDecoder(label);
    decoders.set(label, made);
    return made;
  } catch {
    return undefined;
  }
}
