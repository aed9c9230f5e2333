/** The description of the API (OpenAPI 3.1), made from the routes themselves. Served without a login: it holds no data. */
import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import { Type } from 'typebox';
import type { App } from './app.ts';
import { PLAIN_COOKIE, TLS_COOKIE } from './session-cookie.ts';

/** src and dist both stand one folder under the package's root. */
const PACKAGE = new URL('../../package.json', import.meta.url);

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
  });
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
