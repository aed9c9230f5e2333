/** The options of the keys. */
import { type Static, Type } from 'typebox';

export const keysOptions = Type.Object(
  {
    file: Type.String({ default: './keys/postern.key', minLength: 1, description: 'the key ring file; created together with a new store' }),
    master: Type.Optional(
      Type.String({
        description:
          'the master key itself (32 bytes in base64url; several with commas, newest first) instead of a file; best given by environment',
      }),
    ),
    vault: Type.Optional(
      Type.String({
        minLength: 1,
        description: "where each client's own data key is kept: a folder (default: clients beside keys.file) or redis://host:port",
      }),
    ),
  },
  { additionalProperties: false, default: {}, description: 'the keys, which live outside the store and its backups' },
);

export type KeysOptions = Static<typeof keysOptions>;
