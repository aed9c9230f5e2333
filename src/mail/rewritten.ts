/** Addresses that servers on the way rewrote so that bounces find back (SRS, BATV, VERP), and the person's address in them. */

/** SRS0=hash=stamp=domain=local; the first separator may be `+` or `-` too, the rest are `=` (the SRS specification, §2.2). */
const SRS0 = /^srs0[=+-][^=]*=[^=]*=([^=@]+)=(.+)$/i;
/** SRS1=hash=forwarder=SRS0's remainder, which begins with its own separator. */
const SRS1 = /^srs1[=+-][^=]*=[^=]*=[=+-][^=]*=[^=]*=([^=@]+)=(.+)$/i;
/** BATV: prvs=tag=local; prvs=local/tag as the first drafts had it. */
const PRVS = /^(?:ms)?prvs\d?=[0-9a-z]{6,14}=(.+)$/i;
const PRVS_OLD = /^prvs=(.+)\/[0-9a-f]{8,14}$/i;
/** Barracuda's form of the same. */
const BTV1 = /^btv1==[0-9a-z]+==(.+)$/i;
/** VERP: name, then the recipient with `=` for its at sign; behind a hyphen only where no other one leaves a doubt where it begins. */
const VERP = /^(?:[^=@]*\+|[^-+=@]+-(?=[^-]+=))([^+=@]+)=([a-z0-9-]+(?:\.[a-z0-9-]+)+)$/i;

/**
 * The address with SRS and BATV undone, in layers; the address itself where there are none; undefined for an SRS address that cannot be
 * undone: it names a forwarder, never a person. Linear.
 */
export function unwrapped(address: string): string | undefined {
  // A path is 254 octets at most; layers beyond a few are a forger's.
  let current = address.slice(0, 320);
  for (let layer = 0; layer < 4; layer += 1) {
    const at = current.lastIndexOf('@');
    if (at < 0) return current;
    const local = current.slice(0, at);
    const forwarded = SRS0.exec(local) ?? SRS1.exec(local);
    if (forwarded !== null) current = `${forwarded[2]}@${forwarded[1]}`;
    else if (/^srs[01][=+-]/i.test(local)) return undefined;
    else {
      const signed = PRVS.exec(local) ?? PRVS_OLD.exec(local) ?? BTV1.exec(local);
      if (signed === null) return current;
      current = `${signed[1]}${current.slice(at)}`;
    }
  }
  return /^(?:srs[01]|prvs)[=+-]/i.test(current) ? undefined : current;
}

/** The recipient whom a VERP return path names (`bounces+jane=widgets.example@sender.example` → `jane@widgets.example`), or undefined. */
export function verpRecipient(address: string): string | undefined {
  const found = VERP.exec(address.slice(0, 320).replace(/@[^@]*$/, ''));
  return found === null ? undefined : `${found[1]}@${found[2]}`;
}
