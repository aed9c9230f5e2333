/** The shape of `policies` in the configuration; what the names and options mean is judged by settings.ts. */
import { type Static, Type } from 'typebox';

export const policyOptions = Type.Record(
  Type.String(),
  Type.Record(Type.String(), Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())])),
  {
    default: {},
    description: 'policies.<name>.<check>: a mode (enforce, observe, off), or {mode, …options}. A new name starts from basic.',
  },
);

export type PolicyConfig = Static<typeof policyOptions>;
