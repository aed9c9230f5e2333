/** Runs one command after the other in one process, as asked over IPC: what is printed is collected, and the exit code told. */
import { runCli } from '../../dist/cli/program.js';

let printed = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr']) {
  process[name].write = text => {
    printed[name] += text;
    return true;
  };
}
const own = { ...process.env };

process.on('message', async ({ args, cwd, env }) => {
  printed = { stdout: '', stderr: '' };
  process.chdir(cwd);
  process.env = { ...own, ...env };
  process.exitCode = undefined;
  const code = await runCli(args);
  process.stdout.removeAllListeners('error');
  process.send({ code, ...printed });
});
