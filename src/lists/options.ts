/** The options of the objection ledger. */
import { type Static, Type } from 'typebox';

export const ledgerOptions = Type.Object(
  {
    url: Type.String({
      default: 'file:./ledger/objections.log',
      minLength: 1,
      description: 'file:<path>, or redis://[user:password@]host[:port][/db] of a Redis other than the store',
    }),
  },
  { additionalProperties: false, default: {}, description: 'where objections are kept a second time, outside the store and its backups' },
);

export type LedgerOptions = Static<typeof ledgerOptions>;
