/** Law 6 by chance: whatever happens in whatever order, at two gates at once, no objection is lost and no lift is undone. */
import { pino } from 'pino';
import t from 'tap';
import { type CampaignId, campaignId } from '../../src/ids.ts';
import { openLedger } from '../../src/lists/ledger.ts';
import { Lists, type NewAct } from '../../src/lists/lists.ts';
import { scopeName } from '../../src/lists/scope.ts';
import { REASONS, type Reason, type Scope } from '../../src/lists/standing.ts';
import { ACME, address, clockAt, openHouse } from './house.ts';

const SPRING = campaignId('spring') as CampaignId;
const SCOPES: readonly Scope[] = [{ owner: 'global' }, { owner: ACME }, { owner: ACME, campaign: SPRING }];
const PEOPLE = ['jane@example.com', 'joan@example.com', 'june@example.org'];
const OWN: ReadonlySet<Reason> = new Set(['manual', 'import', 'policy']);
const SEEDS = [1, 2, 3, 4];
const STEPS = 150;

/** A small generator (mulberry32), so that a failure can be run again by its seed. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return n => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

for (const seed of SEEDS) {
  t.test(`A23, A36: no objection is lost and no lift undone (seed ${seed})`, async t => {
    const dir = t.testdir();
    const clock = clockAt(Date.UTC(2026, 5, 1));
    const house = await openHouse(dir, { clock });
    t.teardown(() => house.close());
    const { store, keyring, digests, vault } = house;
    // The second gate has a ledger of its own.
    const parts = { keyring, vault, clock, log: pino({ level: 'silent' }), baseDir: dir, create: true, place: 'second' };
    const second = openLedger('file:second/objections.log', parts);
    t.teardown(() => second.close());
    await second.replay(store);
    const gates = [house.lists, new Lists({ store, keyring, digests, vault, ledger: second, clock, audit: house.audit })];

    const pick = random(seed);
    const one = <T>(list: readonly T[]): T => list[pick(list.length)] as T;
    /** `scope list person` → reasons that must be found there. */
    const expected = new Map<string, Set<Reason>>();
    const place = (scope: Scope, list: string, person: string) => `${scopeName(scope)} ${list} ${person}`;
    const history: string[] = [];

    const objectTo = (scope: Scope, list: string, person: string, reason: Reason) => {
      const name = place(scope, list, person);
      expected.set(name, (expected.get(name) ?? new Set()).add(reason));
    };
    const replayBoth = async () => {
      for (const ledger of [house.ledger, second]) await ledger.replay(store);
    };

    const steps: Record<string, () => Promise<unknown>> = {
      async add() {
        const [scope, person, reason] = [one(SCOPES), one(PEOPLE), one(REASONS)];
        if (!OWN.has(reason)) objectTo(scope, 'exclusion', person, reason);
        const act: NewAct = { reason, source: one(['operator', 'import', 'recipient']), at: clock.at - pick(3) * 1_000 };
        await one(gates).add(scope, address(person), act);
      },
      async addMany() {
        const scope = one(SCOPES);
        const targets = [...PEOPLE, one(PEOPLE)].map(person => {
          const reason = one(['import', 'import', 'opt-out', 'bounce'] as const);
          if (reason !== 'import') objectTo(scope, 'exclusion', person, reason);
          return { target: address(person), act: { reason, source: 'import' as const, at: 1_000 } };
        });
        await one(gates).addMany(scope, targets);
      },
      async suppress() {
        const [scope, person, reason] = [one(SCOPES), one(PEOPLE), one(REASONS)];
        objectTo(scope, 'suppression', person, reason);
        await one(gates).suppress(scope, address(person), { reason, source: 'operator' });
      },
      async remove() {
        await one(gates).remove(one(SCOPES), address(one(PEOPLE)));
      },
      async lift() {
        const [scope, person] = [one(SCOPES), one(PEOPLE)];
        for (const list of ['exclusion', 'suppression']) expected.delete(place(scope, list, person));
        await one(gates).lift(scope, address(person), { by: 'Ann', why: 'because' });
      },
      async together() {
        const [scope, person] = [one(SCOPES), address(one(PEOPLE))];
        const reasons = [one(REASONS), one(REASONS), 'complaint'] as const;
        const name = [...PEOPLE].find(text => address(text).relayed === person.relayed) as string;
        for (const reason of reasons) if (!OWN.has(reason)) objectTo(scope, 'exclusion', name, reason);
        await Promise.all([
          ...reasons.map((reason, i) => (gates[i % 2] as Lists).add(scope, person, { reason, source: 'recipient' })),
          house.ledger.replay(store),
          (gates[0] as Lists).remove(scope, person),
        ]);
      },
      replay: replayBoth,
      async forget() {
        // The store loses some of what it was told, notes of lifts too, and is made whole before anybody asks.
        for (const owner of ['global', ACME]) {
          for (const set of ['exclusion', 'suppression', 'exclusion/spring', 'suppression/spring']) {
            for (const name of [set, `lifted-${set}`]) {
              for await (const [key] of store.scan({ owner, set: name })) if (pick(2) === 0) await store.apply([{ key, value: undefined }]);
            }
          }
        }
        await replayBoth();
      },
    };

    const check = async () => {
      for (const person of PEOPLE) {
        const standing = await one(gates).standing(address(person), ACME, [SPRING]);
        for (const scope of SCOPES) {
          for (const list of ['exclusion', 'suppression'] as const) {
            const hit = standing.find(found => found.list === list && scopeName(found.scope) === scopeName(scope));
            const found = (hit?.acts ?? []).map(({ reason }) => reason).filter(reason => list === 'suppression' || !OWN.has(reason));
            const wanted = [...(expected.get(place(scope, list, person)) ?? [])];
            if (found.toSorted().join() !== wanted.toSorted().join()) {
              return `${place(scope, list, person)}: found ${found}, wanted ${wanted}, after ${history.slice(-12).join(' ')}`;
            }
          }
        }
      }
      return undefined;
    };

    const names = ['add', 'add', 'add', 'addMany', 'suppress', 'suppress', 'remove', 'lift', 'lift', 'together', 'replay', 'forget'];
    for (let step = 0; step < STEPS; step++) {
      clock.at += pick(2) * 1_000;
      const name = one(names);
      history.push(name);
      await (steps[name] as () => Promise<unknown>)();
      const problem = await check();
      if (problem !== undefined) return t.fail(`step ${step}: ${problem}`);
    }
    t.ok(
      [...expected.values()].some(reasons => reasons.size > 0),
      'somebody objected',
    );
  });
}
