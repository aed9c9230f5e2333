/** `postern serve`: runs the gate until SIGTERM or SIGINT; SIGHUP reloads the certificates. */
import cluster from 'node:cluster';
import { once } from 'node:events';
import type { Command } from 'commander';
import { openHouse, type RunningGate, readConfig, startGate } from '../app.ts';
import { type Common, command } from './command.ts';
import { printJson, printLine } from './output.ts';
import { runWorkers } from './workers.ts';

export function addServeCommand(program: Command): void {
  command(program, 'serve', 'run the gate; makes a new store and its key where there is none').action(serve);
}

async function serve(options: Common): Promise<void> {
  const announce = (addresses: RunningGate['addresses']): void => {
    if (options.json === true) printJson({ listening: addresses });
    else for (const { host, port, implicitTls } of addresses) printLine(`listening on ${implicitTls ? 'smtps://' : ''}${host}:${port}`);
  };
  const { workers } = readConfig({ file: options.config }).config.submission;
  if (workers === 1) return runGate(options, announce);
  if (cluster.isPrimary) return runWorkers(workers, announce);
  return runGate(options, addresses => void process.send?.({ listening: addresses }));
}

async function runGate(options: Common, announce: (addresses: RunningGate['addresses']) => void): Promise<void> {
  const house = await openHouse({ file: options.config, create: true, patient: true });
  try {
    const gate = await startGate(house);
    announce(gate.addresses);
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
