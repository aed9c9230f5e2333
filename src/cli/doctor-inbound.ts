/** What `doctor` says of the way back: whether replies and bounces can arrive, and whether what arrived is enforced. */
import type { House } from '../app.ts';
import { isRefusal } from '../clients/clients.ts';
import type { Credential, Profile } from '../clients/profile.ts';
import type { ClientId } from '../ids.ts';
import { Destinations } from '../inbound/destinations.ts';
import { isAddress, parsePerson } from '../mail/address.ts';
import { parseDomain } from '../mail/domain.ts';
import { CONVERSATION } from '../policy/settings.ts';
import { describeWaiting, whatWaits } from './came-back.ts';
import type { Finding } from './diagnosis.ts';

/** @throws StoreUnavailable */
export async function inboundFindings(house: House): Promise<readonly Finding[]> {
  const { config, clients } = house;
  const profiles = (await clients.list()).filter(({ disabled }) => !disabled);
  const problems = [
    ...waysIn(house),
    ...mailboxesOfNobody(house, new Set(profiles.map(({ id }) => id))),
    ...(await Promise.all(profiles.map(profile => ofClient(house, profile)))).flat(),
    ...(await waiting(house)),
  ];
  if (problems.length > 0) return problems;
  const { listen, mailboxes, domains } = config.inbound;
  const places = [listen === 'off' ? [] : listen, mailboxes.map(({ name }) => `mailbox ${name}`)].flat(2);
  return [finding('ok', `takes what comes back at ${[...places, ...domains].join(', ')}`)];
}

function finding(level: Finding['level'], text: string): Finding {
  return { level, about: 'inbound', text };
}

function waysIn({ config: { inbound } }: House): readonly Finding[] {
  if (inbound.listen === 'off' && inbound.mailboxes.length === 0)
    return [finding('warn', 'nothing that comes back is taken, so no reply is an objection: set inbound.listen or inbound.mailboxes')];
  if (inbound.listen === 'off' || inbound.domains.length > 0) return [];
  return [finding('warn', 'inbound.domains is empty: no unsubscribe@, privacy@, feedback@ or return path is taken')];
}

function mailboxesOfNobody({ config: { inbound } }: House, known: ReadonlySet<string>): readonly Finding[] {
  return inbound.mailboxes
    .filter(({ client }) => client !== undefined && !known.has(client))
    .map(({ name, client }) => finding('fail', `mailbox ${name} is of client ${client}, which there is not: mend inbound.mailboxes`));
}

async function ofClient(house: House, profile: Profile): Promise<readonly Finding[]> {
  const { inbound } = house.config;
  const { id, returnPath, forwardTo, replyAddresses } = profile;
  const own = new Set(inbound.domains.map(parseDomain));
  const destinations = new Destinations({ clients: house.clients, domains: inbound.domains });
  const isOurs = async (text: string): Promise<ClientId | true | undefined> => {
    const address = parsePerson(text);
    const destination = isAddress(address) ? await destinations.of(address) : undefined;
    return destination && (destination.client ?? true);
  };
  const found: Finding[] = [];
  if (returnPath !== undefined && !own.has(returnPath))
    found.push(finding('fail', `client ${id}: bounces to its return path ${returnPath} are refused: add it to inbound.domains`));
  for (const address of replyAddresses) {
    if ((await isOurs(address)) !== id)
      found.push(
        finding('warn', `client ${id}: a reply address is one of inbound.domains' own, and is not taken as this client's: choose another`),
      );
  }
  if (forwardTo !== undefined && (await isOurs(forwardTo)) !== undefined)
    found.push(finding('fail', `client ${id}: its copies would come back here: change --forward-to to a mailbox elsewhere`));
  const replies = replyAddresses.length > 0 || inbound.mailboxes.some(({ client }) => client === undefined || client === id);
  if (!replies) found.push(finding('warn', `client ${id}: its replies are taken nowhere: give it a --reply-address or a mailbox`));
  const talking = (await credentialsOf(house, id)).filter(({ disabled, policy }) => !disabled && policy === CONVERSATION);
  if (!replies && talking.length > 0)
    found.push(
      finding('warn', `client ${id}: ${talking.map(one => one.id).join(', ')} can answer nobody, because no reply of it is ever logged`),
    );
  return found;
}

async function credentialsOf({ clients }: House, id: ClientId): Promise<readonly Credential[]> {
  const credentials = await clients.credentials(id);
  return isRefusal(credentials) ? [] : credentials;
}

async function waiting(house: House): Promise<readonly Finding[]> {
  const { sources, ...rest } = await whatWaits(house);
  const alarming = describeWaiting({ sources, ...rest }, house.clock.now());
  const unread = sources.filter(({ unreadable }) => unreadable).map(({ source }) => source);
  return [
    ...(rest.alarm ? alarming.map(text => finding('fail', text)) : []),
    ...(unread.length > 0 ? [finding('warn', `cannot be read just now: ${unread.join(', ')}`)] : []),
  ];
}
