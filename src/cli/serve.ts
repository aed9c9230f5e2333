/** `postern serve`: runs the gate until SIGTERM or SIGINT; SIGHUP reloads the certificates. */
import { once } from 'node:events';
import type { Command } from 'commander';
import { openHouse, startGate } from '../app.ts';
import { type Common, command } from './command.ts';
import { printJson, printLine } from './output.ts';

export function addServeCommand(program: Command): void {
  command(program, 'serve', 'run the gate; makes a new store and its key where there is none').action(serve);
}

async function serve(options: Common): Promise<void> {
  const house = await openHouse({ file: options.config, create: true, patient: true });
  try {
    const gate = await startGate(house);
    if (options.json === true) printJson({ listening: gate.addresses });
    else
      for (const { host, port, implicitTls } of gate.addresses) printLine(`listening on ${implicitTls ? 'smtps://' : ''}${host}:${port}`);
    const reload = () => gate.reloadCertificates();
    process.on('SIGHUP', reload);
    await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
    process.off('SIGHUP', reload);
    house.log.info('stopping: running transactions may finish');
    await gate.stop();
  } finally {
    await house.close();
  }
}
