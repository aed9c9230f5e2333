/** Each client's mail goes to its own upstream; what cannot be read is no upstream. */
import t from 'tap';
import { Upstreams } from '../../src/relay/upstreams.ts';
import { startSink } from '../support/sink.ts';
import { envelope, lossOf, MESSAGE, parts } from './relaying.ts';

t.test('one upstream for each URL, the default for none', async t => {
  const [common, own] = [await startSink(), await startSink()];
  const upstreams = new Upstreams(common.url(), parts());
  t.equal(upstreams.for(undefined), upstreams.for(common.url()));
  await upstreams.verify();
  await upstreams.for(undefined).relay(envelope(['a@x.example']), [MESSAGE]);
  await upstreams.for(own.url()).relay(envelope(['b@x.example']), [MESSAGE]);
  t.equal(upstreams.for(own.url()), upstreams.for(own.url()));
  t.same([common.messages[0]?.to, own.messages[0]?.to], [['a@x.example'], ['b@x.example']]);
  await upstreams.close();
  t.match((await lossOf(upstreams.for(own.url()).verify()))?.message, /closing/);
  t.throws(() => upstreams.for('smtp://127.0.0.1:1'), { name: 'UpstreamUnavailable', dotSent: false });
  await Promise.all([common.close(), own.close()]);
});

t.test('a URL that cannot be read is unavailable, and is not repeated', async t => {
  const upstreams = new Upstreams('smtp://hush:secret@x.example?tsl=off', parts());
  const loss = await lossOf(upstreams.verify());
  t.match(loss?.message, /unknown parameter/);
  t.notMatch(loss?.message, /hush|secret/);
  await upstreams.close();
});
