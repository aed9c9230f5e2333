/** Arguments as people write them reach commander as it reads them: several values behind one flag, general options anywhere. */
import t from 'tap';
import { spellOut } from '../../src/cli/arguments.ts';
import { theProgram } from '../../src/cli/program.ts';

const words = (text: string) => text.split(' ').filter(word => word !== '');

t.test('several values behind one flag, and what follows them', async t => {
  const table: [string, string][] = [
    [
      'client add acme --from-domain a.example b.example --name A',
      'client add acme --from-domain a.example --from-domain b.example --name A',
    ],
    [
      'client add --from-domain a.example b.example acme --name A',
      'client add --from-domain a.example --from-domain b.example acme --name A',
    ],
    ['client add --from-domain a.example acme', 'client add --from-domain a.example acme'],
    [
      'client add acme --from-domain bücher.example müller.example',
      'client add acme --from-domain bücher.example --from-domain müller.example',
    ],
    [
      'client add --privacy-url https://a.example/p https://b.example/p acme',
      'client add --privacy-url https://a.example/p --privacy-url https://b.example/p acme',
    ],
    ['client add --privacy-url https://a.example/p acme.example', 'client add --privacy-url https://a.example/p acme.example'],
    [
      'client update --tracking-host l.example:8443 m.example acme',
      'client update --tracking-host l.example:8443 --tracking-host m.example acme',
    ],
    ['client add --return-path-domain a.example acme', 'client add --return-path-domain a.example acme'],
    ['credential add --ip 127.0.0.1 acme user', 'credential add --ip 127.0.0.1 acme user'],
    ['credential add --ip 10.0.0.0/8 ::1 2001:db8::/32 acme user', 'credential add --ip 10.0.0.0/8 --ip ::1 --ip 2001:db8::/32 acme user'],
    ['credential add acme user --ip 10.0.0.1 10.0.0.2 --no-password', 'credential add acme user --ip 10.0.0.1 --ip 10.0.0.2 --no-password'],
    ['credential add --ip 10.0.0.1 --ip 10.0.0.2 acme user', 'credential add --ip 10.0.0.1 --ip 10.0.0.2 acme user'],
    ['credential add --ip 10.0.0.1 cafe bed', 'credential add --ip 10.0.0.1 cafe bed'],
    [
      'campaign add --target-domain a.example b.example acme spring',
      'campaign add --target-domain a.example --target-domain b.example acme spring',
    ],
    ['campaign add acme spring --target-domain=a.example b.example', 'campaign add acme spring --target-domain=a.example b.example'],
    // A value that looks like a flag's kind stays the value of its own flag.
    ['client add acme --name b.example --from-domain a.example', 'client add acme --name b.example --from-domain a.example'],
    ['list add acme -- --from-domain', 'list add acme -- --from-domain'],
    [
      '--config a.example client add --from-domain a.example b.example acme',
      '--config a.example client add --from-domain a.example --from-domain b.example acme',
    ],
    ['help client add', 'client add --help'],
    ['help', '--help'],
    ['nonsense --from-domain a.example b.example', 'nonsense --from-domain a.example b.example'],
  ];
  for (const [given, expected] of table) t.same(spellOut(theProgram(), words(given)), words(expected), given);
});

t.test('no option swallows what follows without looking at it', async t => {
  const commands = theProgram().commands.flatMap(group => [group, ...group.commands]);
  const greedy = commands.flatMap(command => command.options.filter(({ variadic }) => variadic).map(({ flags }) => flags));
  t.same(greedy, []);
  t.ok(commands.length > 20, 'there are commands');
});
