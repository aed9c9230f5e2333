/** Which domains hold private persons' mailboxes: the package's free-mail domains, consumer ISPs, and corrections (config/consumer-domains.yaml). */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { parse } from 'yaml';
import { isPublicSuffix, parseDomain, suffixes } from '../mail/domain.ts';

/** The provider's domain that makes `domain` (as parseDomain gives it) a personal one, or undefined where it is none. */
export type FindProvider = (domain: string) => string | undefined;

const Remarks = Type.Record(Type.String(), Type.String({ minLength: 1 }));
const consumerDomains = Type.Object({ business: Remarks, personal: Type.Record(Type.String(), Remarks) }, { additionalProperties: false });

/**
 * Reads the tables, once for all policies. Takes some 100 ms.
 * @throws Error where config/consumer-domains.yaml is damaged; it names the line's domain.
 */
export function loadPersonalDomains(): FindProvider {
  const personal = new Map<string, boolean>();
  for (const name of freeMailDomains()) {
    const domain = parseDomain(name);
    // The package lists slips (an entry with an @) and suffixes such as com.ar under which a whole country's companies are.
    if (domain !== undefined && !isPublicSuffix(domain)) personal.set(domain, true);
  }
  const tables = readTables(new URL('../../config/consumer-domains.yaml', import.meta.url));
  for (const names of Object.values(tables.personal)) for (const name of Object.keys(names)) personal.set(checked(name), true);
  for (const name of Object.keys(tables.business)) personal.set(checked(name), false);
  return domain => {
    const decisive = suffixes(domain).find(suffix => personal.has(suffix));
    return decisive !== undefined && personal.get(decisive) === true ? decisive : undefined;
  };
}

function freeMailDomains(): readonly string[] {
  return createRequire(import.meta.url)('email-providers/all.json') as readonly string[];
}

function readTables(file: URL): Static<typeof consumerDomains> {
  const tables: unknown = parse(readFileSync(file, 'utf8'));
  if (Value.Check(consumerDomains, tables)) return tables;
  const [error] = Value.Errors(consumerDomains, tables);
  throw new Error(`config/consumer-domains.yaml: ${error?.instancePath} ${error?.message}`);
}

function checked(name: string): string {
  if (parseDomain(name) !== name || isPublicSuffix(name))
    throw new Error(`config/consumer-domains.yaml: ${name} is no domain that can be listed`);
  return name;
}
