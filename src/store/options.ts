/** The options of the store. */
import { type Static, Type } from 'typebox';

export const storeOptions = Type.Object(
  {
    url: Type.String({
      default: 'lmdb:./data',
      minLength: 1,
      description:
        'lmdb:<folder> (embedded), redis://[user:password@]host[:port][/db] (rediss:// for TLS), ' +
        'redis+sentinel://host[:port],host…/<master>[/db], or redis+cluster://host[:port],host…',
    }),
  },
  { additionalProperties: false, default: {}, description: 'where lists, clients and the journal are kept' },
);

export type StoreOptions = Static<typeof storeOptions>;
