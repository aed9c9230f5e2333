/** Which addresses mail may come back to: offices of our domains, clients' reply addresses, and nothing else. */
import t from 'tap';
import { Destinations } from '../../src/inbound/destinations.ts';
import { good, input, newHouse } from '../clients/house.ts';
import { address } from '../submission/gatehouse.ts';

t.test('A15, A16: each address that mail may come back to, and what it stands for', async t => {
  const { clients } = await newHouse(t);
  good(await clients.add(input('acme', { replyAddresses: ['sales@acme.example', 'unsubscribe@acme.example'] })));
  good(await clients.add(input('other', { replyAddresses: ['hello@other.example', 'team@Replies.Example'] })));
  good(await clients.remove('other'));
  const destinations = new Destinations({ clients, domains: ['Replies.Example', 'bücher.example'] });
  const office = (role: string, token?: string) => ({ role, client: undefined, token });
  const reply = (client: string, token?: string) => ({ role: 'reply', client, token });
  const table: readonly [string, object | undefined][] = [
    ['unsubscribe@replies.example', office('unsubscribe')],
    ['Unsubscribe+ABC234@REPLIES.example', office('unsubscribe', 'abc234')],
    ['privacy@replies.example', office('privacy')],
    ['privacy+abc@xn--bcher-kva.example', office('privacy', 'abc')],
    ['feedback@replies.example', office('feedback')],
    ['feedback+abc@replies.example', office('feedback', 'abc')],
    ['bounce+abc@replies.example', office('return-path', 'abc')],
    ['bounce+a+b@replies.example', office('return-path', 'a+b')],
    ['bounce@replies.example', undefined],
    ['bounces+abc@replies.example', undefined],
    ['privacy@sub.replies.example', undefined],
    ['postmaster@replies.example', undefined],
    ['privacy@acme.example', undefined],
    ['sales@acme.example', reply('acme')],
    ['Sales+tok@Acme.Example', reply('acme', 'tok')],
    ['unsubscribe@acme.example', reply('acme')],
    ['team@replies.example', reply('other')],
    ['hello@other.example', reply('other')],
    ['else@other.example', undefined],
  ];
  for (const [text, expected] of table) t.same(await destinations.of(address(text)), expected, text);
});
