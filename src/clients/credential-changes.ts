/** Changes of credentials that are there: other addresses, campaign or policy, a new password, off. Each binds the next MAIL on every gate. */
import { randomBytes } from 'node:crypto';
import { OURSELVES, type Who } from '../audit/act.ts';
import { campaignId, GLOBAL } from '../ids.ts';
import { changeHead } from '../store/head.ts';
import type { Value } from '../store/store.ts';
import { toBlocks } from './addresses.ts';
import { clash, disabledUsername, unknownCampaign, unknownUsername } from './credential-refusals.ts';
import type { Doors } from './doors.ts';
import type { CredentialLookup } from './lookup.ts';
import type { ClientParts } from './parts.ts';
import { generatePassword, type Passwords } from './password.ts';
import type { Credential } from './profile.ts';
import { type Claim, campaignKey, credentialKey, type SealedRecords, type StoredCredential, strip } from './records.ts';
import { isRefusal, type Refusal, refuse } from './refusal.ts';
import { differences } from './told.ts';
import { policyProblems, readBlocks } from './validation.ts';

/** What is left out stays; null takes it away. */
export interface CredentialUpdate {
  readonly campaign?: string | null | undefined;
  readonly policy?: string | null | undefined;
  /** CIDR blocks or addresses; empty: from anywhere, which needs a password. */
  readonly ips?: readonly string[] | null | undefined;
}

/** A credential and its new password, shown this once; undefined where it has none. */
export interface Issued {
  readonly credential: Credential;
  readonly password: string | undefined;
}

interface Edit {
  readonly stored: StoredCredential;
  readonly what: 'credential.disable' | 'credential.rotate' | 'credential.update';
  /** Undefined: nothing changes, and nothing is written. */
  readonly about: Readonly<Record<string, unknown>> | undefined;
}

export class CredentialChanges {
  readonly #parts: ClientParts;
  readonly #records: SealedRecords;
  readonly #lookup: CredentialLookup;
  readonly #passwords: Passwords;
  readonly #doors: Doors;

  constructor(parts: ClientParts, records: SealedRecords, lookup: CredentialLookup, passwords: Passwords, doors: Doors) {
    this.#parts = parts;
    this.#records = records;
    this.#lookup = lookup;
    this.#passwords = passwords;
    this.#doors = doors;
  }

  /** Switches a credential off, at once and everywhere. Refused: unknown. @throws StoreUnavailable */
  async disable(username: string, who: Who = OURSELVES): Promise<Credential | Refusal> {
    return this.#change(await this.#lookup.claim(username), who, stored => ({
      stored: { ...stored, disabled: true },
      what: 'credential.disable',
      about: {},
    }));
  }

  /** Gives a credential a new password; the old one is dead at once. Refused: unknown, disabled, invalid (it has none). @throws StoreUnavailable */
  async rotate(username: string, who: Who = OURSELVES): Promise<Issued | Refusal> {
    const password = generatePassword();
    const hash = await this.#passwords.hash(password);
    const credential = await this.#change(await this.#lookup.claim(username), who, stored => {
      if (stored.disabled) return disabledUsername();
      if (!stored.password) return refuse('invalid', 'username: this credential has no password to rotate');
      return { stored: { ...stored, hash }, what: 'credential.rotate', about: {} };
    });
    return isRefusal(credential) ? credential : { credential, password };
  }

  /**
   * Changes what `update` names; `version` is the client's that was read. Refused: invalid, unknown (credential or campaign), disabled,
   * taken (another credential's addresses), outdated. @throws StoreUnavailable
   */
  async update(username: string, update: CredentialUpdate, who: Who = OURSELVES, version?: number): Promise<Credential | Refusal> {
    const claim = await this.#lookup.claim(username);
    const turn = claim === undefined ? undefined : await this.#opened(claim, username, update);
    if (turn !== undefined && isRefusal(turn)) return turn;
    const changed = await this.#change(claim, who, (stored, value) => this.#updated(stored, value, update, turn), version);
    if (claim !== undefined && turn !== undefined) await this.#settle(claim, turn);
    return changed;
  }

  async #updated(stored: StoredCredential, value: Value, update: CredentialUpdate, turn: Turn | undefined): Promise<Edit | Refusal> {
    // Its door was opened for what it was then.
    if (turn !== undefined && !turn.value.equals(value)) return refuse('outdated', 'username: it was changed meanwhile; read it again');
    const edited = await this.#read(stored, update);
    if (isRefusal(edited)) return edited;
    const changed = differences(stored, edited);
    return { stored: edited, what: 'credential.update', about: Object.keys(changed).length === 0 ? undefined : changed };
  }

  async #read(stored: StoredCredential, { campaign, policy, ips }: CredentialUpdate): Promise<StoredCredential | Refusal> {
    if (stored.disabled) return disabledUsername();
    const named = campaign == null ? undefined : campaignId(campaign);
    if (campaign != null) {
      const [registered] = named === undefined ? [] : await this.#parts.store.find([campaignKey(stored.client, named)]);
      if (registered === undefined) return unknownCampaign(campaign, stored.client);
    }
    const blocks = ips === undefined ? undefined : readBlocks(ips ?? [], { alone: !stored.password });
    const texts = [
      ...(blocks !== undefined && 'texts' in blocks ? blocks.texts : []),
      ...(policy == null ? [] : policyProblems(policy, await this.#parts.rules(), { forClient: false })),
    ];
    if (texts.length > 0 || (blocks !== undefined && 'texts' in blocks)) return refuse('invalid', ...texts);
    return {
      ...stored,
      ...(campaign === undefined ? {} : { campaign: named }),
      ...(policy === undefined ? {} : { policy: policy ?? undefined }),
      ...(blocks === undefined ? {} : { ips: blocks.map(({ text }) => text) }),
    };
  }

  /**
   * Opens the door of a credential without a password for its new addresses, too: doors are global's, the record is its client's, and no
   * apply is all or none over two owners. The turn says whose opening it is; undefined where no door is needed.
   */
  async #opened(claim: Claim, username: string, update: CredentialUpdate): Promise<Turn | Refusal | undefined> {
    if (update.ips === undefined) return undefined;
    const { store, keyring } = this.#parts;
    const id = randomBytes(8).toString('hex');
    let outcome: Turn | Refusal | undefined = unknownUsername();
    await changeHead(store, GLOBAL, keyring.fingerprint, async head => {
      const [value] = await store.find([credentialKey(claim)]);
      // Made anew meanwhile, it has another record, and its door is not this one.
      const same = (await this.#lookup.claim(username))?.record === claim.record;
      if (value === undefined || !same) return undefined;
      const stored = this.#records.get<StoredCredential>(credentialKey(claim), value);
      if (stored.password) outcome = undefined;
      if (stored.password) return undefined;
      const edited = await this.#read(stored, update);
      const refusal = isRefusal(edited) ? edited : await clash(this.#doors, this.#lookup, stored.id, toBlocks(edited.ips));
      outcome = refusal ?? { id, value };
      if (refusal !== undefined || isRefusal(edited)) return undefined;
      const open = (await this.#doors.at(claim.record))?.ips ?? [];
      const ips = [...new Set([...open, ...stored.ips, ...edited.ips])];
      return { head, changes: [this.#doors.change(claim.record, stored.id, ips, id)] };
    });
    return outcome;
  }

  /** Leaves the door open for the credential's addresses only, unless a later turn opened it for more: that one will. */
  async #settle(claim: Claim, turn: Turn): Promise<void> {
    const { store, keyring } = this.#parts;
    await changeHead(store, GLOBAL, keyring.fingerprint, async head => {
      const [value] = await store.find([credentialKey(claim)]);
      if (value === undefined || (await this.#doors.at(claim.record))?.turn !== turn.id) return undefined;
      const { id, ips } = this.#records.get<StoredCredential>(credentialKey(claim), value);
      return { head, changes: [this.#doors.change(claim.record, id, ips)] };
    });
  }

  async #change(
    claim: Claim | undefined,
    who: Who,
    edit: (stored: StoredCredential, value: Value) => Promise<Edit | Refusal> | Edit | Refusal,
    version?: number,
  ): Promise<Credential | Refusal> {
    const { store, keyring, audit } = this.#parts;
    if (claim === undefined) return unknownUsername();
    const key = credentialKey(claim);
    let outcome: Credential | Refusal = unknownUsername();
    await changeHead(store, claim.client, keyring.fingerprint, async head => {
      const [value] = await store.find([key]);
      if (value === undefined) outcome = unknownUsername();
      if (value === undefined) return undefined;
      const outdated = version !== undefined && version !== head.version;
      const edited = outdated
        ? refuse('outdated', 'username: it, or its client, was changed meanwhile; read it again')
        : await edit(this.#records.get<StoredCredential>(key, value), value);
      outcome = isRefusal(edited) ? edited : strip(edited.stored);
      if (isRefusal(edited) || edited.about === undefined) return undefined;
      const { stored, what, about } = edited;
      const draft = await audit.append(claim.client, { ...who, what, about: { credential: stored.id, ...about } });
      return { head, ...draft, changes: [this.#records.put(key, stored), ...draft.changes] };
    });
    return outcome;
  }
}

/** The opening of a door. */
interface Turn {
  readonly id: string;
  /** The credential as it was kept then. */
  readonly value: Value;
}
