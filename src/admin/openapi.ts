/** The description of the API (OpenAPI 3.1), made from the routes themselves. Served without a login: it holds no data. */
import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import { Type } from 'typebox';
import type { App } from './app.ts';
import { PLAIN_COOKIE, TLS_COOKIE } from './session-cookie.ts';

/** src and dist both stand one folder under the package's root. */
const PACKAGE = new URL('../../package.json', import.meta.url);

/** What each tag is about; a test asks that there is one for every tag. */
const TAGS: Readonly<Record<string, string>> = {
  accounts: 'The logins of people and platforms, with their roles and addresses',
  audit: 'Who changed or exported what, from where and why; and whether that record is whole',
  campaigns: 'What a client mails for, with the company domains it is aimed at',
  clients: 'The companies on whose behalf mail is sent',
  credentials: 'What platforms log in to the gate with',
  decisions: 'Who was refused and why, one by one',
  description: 'This document',
  exclusions: 'Addresses and domains that are not to be mailed; they can be read',
  explain: 'What would become of a mail',
  exports: 'Lists as files, each export on record',
  health: 'Whether it runs, and whether mail could pass',
  imports: 'Lists from files: an upload, then a job to follow',
  metrics: 'For Prometheus',
  policies: 'Which checks are enforced',
  replies: 'What came back, and what waits for a person',
  screening: 'What would become of a whole list',
  session: 'Logging in, the second factor, one’s own API tokens',
  stats: 'How many were relayed, refused and deferred',
  suppressions: 'People who are not to be mailed, kept as digests',
  tokens: 'API tokens of others',
  webhooks: 'Telling platforms what happens',
};

/** What @fastify/swagger says of an answer whose schema says nothing. */
const UNSAID = 'Default Response';
const ANSWERS: Readonly<Record<string, string>> = {
  200: 'As asked',
  201: 'Made',
  202: 'Taken, and going on',
  204: 'Done; there is nothing to say',
};

/** Before the routes: it listens to them being added. */
export async function describeRoutes(app: App): Promise<void> {
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string };
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Postern admin API',
        version,
        description: 'Who was refused and why, lists, accounts, evidence. docs/api.md begins at the beginning.',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API token: postern_…' },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: TLS_COOKIE,
            description: `Over plain HTTP on loopback: ${PLAIN_COOKIE}. Set by POST /v1/session; unsafe methods need X-CSRF-Token beside it`,
          },
        },
      },
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      security: [{ bearer: [] }, { session: [] }],
    },
    transform: ({ schema, url, route }) => {
      const { roles, scope } = route.config ?? {};
      const who = roles === 'anyone' || roles === undefined ? {} : { 'x-roles': roles, 'x-scope': scope };
      return {
        schema: { ...(schema as object), ...who, ...(roles === 'anyone' && schema?.security === undefined ? { security: [] } : {}) },
        url,
      };
    },
    transformObject: document => {
      if (!('openapiObject' in document)) return document.swaggerObject;
      nameOperations(document.openapiObject.paths ?? {});
      return document.openapiObject;
    },
  });
}

interface Operation {
  operationId?: string;
  readonly responses?: Readonly<Record<string, { description?: string }>>;
}

/** Gives every operation a name, of which generators of clients make functions, and every answer words. */
function nameOperations(paths: object): void {
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations as Readonly<Record<string, Operation>>)) {
      operation.operationId = operationId(method, path);
      for (const [status, answer] of Object.entries(operation.responses ?? {})) {
        if (answer.description === UNSAID) answer.description = ANSWERS[status] ?? 'As described';
      }
    }
  }
}

/** `getClientExclusions` for `GET /v1/clients/{client}/exclusions`, `getClientExclusion` for one of them. */
function operationId(method: string, path: string): string {
  const words = path.split('/').flatMap((word, index, all) => {
    if (word === '' || word === 'v1' || word.startsWith('{')) return [];
    const one = all[index + 1]?.startsWith('{') ? word.replace(/ies$/, 'y').replace(/s$/, '') : word;
    return one.split('.').map(part => part[0]?.toUpperCase() + part.slice(1));
  });
  return method + words.join('');
}

export function openapiRoute(app: App): void {
  app.get(
    '/openapi.json',
    {
      schema: {
        summary: 'This description',
        tags: ['description'],
        response: {
          200: Type.Object(
            { openapi: Type.String(), paths: Type.Object({}, { additionalProperties: true }) },
            { additionalProperties: true },
          ),
        },
      },
      config: { roles: 'anyone' },
    },
    async (_request, reply) =>
      reply
        .header('cache-control', 'max-age=300')
        .type('application/json')
        .serializer(String)
        .send(JSON.stringify(app.swagger()) as never),
  );
}
