/** Line ends of mail that lies in files: LF or CR alone, as other systems write them, become the CRLF that mail has on the wire. */

const CR = 13;
const LF = 10;

/** The octets with CRLF line ends; themselves, not a copy, where every line ends so already. Linear. */
export function toCrlf(octets: Buffer): Buffer {
  let bare = 0;
  for (let at = octets.indexOf(LF); at >= 0; at = octets.indexOf(LF, at + 1)) if (octets[at - 1] !== CR) bare += 1;
  for (let at = octets.indexOf(CR); at >= 0; at = octets.indexOf(CR, at + 1)) if (octets[at + 1] !== LF) bare += 1;
  if (bare === 0) return octets;
  const out = Buffer.allocUnsafe(octets.length + bare);
  let length = 0;
  for (let at = 0; at < octets.length; at += 1) {
    const octet = octets[at] as number;
    if (octet !== CR && octet !== LF) {
      out[length] = octet;
      length += 1;
      continue;
    }
    out[length] = CR;
    out[length + 1] = LF;
    length += 2;
    if (octet === CR && octets[at + 1] === LF) at += 1;
  }
  return out.subarray(0, length);
}
