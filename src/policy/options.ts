/** The shape of `policies` in the configuration, and of what is laid over it later; what the names and options mean is judged by settings.ts. */
import { type Static, Type } from 'typebox';

/** What is laid over a policy: check → its mode, or its mode (`enforce` where none is named) with options of it. */
export const amendmentsSchema = Type.Record(Type.String(), Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())]));

export const policyOptions = Type.Record(Type.String(), amendmentsSchema, {
  default: {},
  description: 'policies.<name>.<check>: a mode (enforce, observe, off), or {mode, …options}. A new name starts from basic.',
});

export type Amendments = Readonly<Static<typeof amendmentsSchema>>;
export type PolicyConfig = Static<typeof policyOptions>;
