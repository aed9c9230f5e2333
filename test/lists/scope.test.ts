/** Scopes as text. */
import t from 'tap';
import { parseScope, scopeName } from '../../src/lists/scope.ts';

t.test('a scope reads as it is written', async t => {
  for (const text of ['global', 'acme', 'acme/spring', 'a.b-c_1/x']) {
    const scope = parseScope(text);
    t.ok(scope, text);
    t.equal(scope && scopeName(scope), text);
  }
  for (const text of ['', 'Acme', '/spring', 'acme/', 'acme/spring/x', 'global/spring', 'a b', '-a', 'acme/Sp'])
    t.equal(parseScope(text), undefined, text);
});
