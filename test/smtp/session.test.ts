/** The conversation on the wire: what is offered, what is asked of the gate, and what comes back. */
import t from 'tap';
import { listening } from './listening.ts';

t.test('EHLO offers what is kept and nothing else; HELO works', async t => {
  const { greeted, gate } = await listening(t);
  const client = await greeted();
  client.send('EHLO client.example');
  t.same((await client.reply()).lines, [
    'gate.example',
    'PIPELINING',
    '8BITMIME',
    'SMTPUTF8',
    'SIZE 1000000',
    'ENHANCEDSTATUSCODES',
    'STARTTLS',
  ]);
  t.equal(await client.starttls(), '220 2.0.0 Ready to start TLS');
  client.send('EHLO client.example');
  t.same((await client.reply()).lines, [
    'gate.example',
    'PIPELINING',
    '8BITMIME',
    'SMTPUTF8',
    'SIZE 1000000',
    'ENHANCEDSTATUSCODES',
    'AUTH PLAIN LOGIN',
  ]);
  t.match(gate.peers[0], { secure: /^TLSv1\.3 TLS_AES_/, helo: 'client.example', protocol: 'ESMTPS', remoteAddress: '127.0.0.1' });
  t.equal(await client.ask('HELO client.example'), '250 gate.example');
});
