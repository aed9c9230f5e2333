/** `postern serve`: runs the gate until SIGTERM or SIGINT; SIGHUP reloads the certificates. */
import cluster from 'node:cluster';
import { once } from 'node:events';
import type { Command } from 'commander';
import { openHouse, readConfig, startGate } from '../app.ts';
import { type Common, command } from './command.ts';
import { printJson, printLine } from './output.ts';
import { shareMetrics } from './shared-metrics.ts';
import { isAdminProcess, type Places, runWorkers } from './workers.ts';

export function addServeCommand(program: Command): void {
  command(program, 'serve', 'run the gate; makes a new store and its key where there is none').action(serve);
}

async function serve(options: Common): Promise<void> {
  const announce = (places: Places): void => {
    if (options.json === true) {
      printJson(places);
      return;
    }
    for (const endpoint of places.listening) printLine(`listening on ${spelled(endpoint)}`);
    for (const endpoint of places.inbound) printLine(`taking what comes back on ${spelled(endpoint)}`);
    for (const { host, port, tls } of places.admin)
      printLine(`admin API on ${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`);
  };
  const { workers } = readConfig({ file: options.config }).config.submission;
  if (workers === 1) return runGate(options, announce);
  if (cluster.isPrimary) return runWorkers(workers, announce);
  return runGate(options, places => void process.send?.(places));
}

function spelled({ host, port, implicitTls }: Places['listening'][number]): string {
  return `${implicitTls ? 'smtps://' : ''}${host}:${port}`;
}

async function runGate(options: Common, announce: (places: Places) => void): Promise<void> {
  const house = await openHouse({ file: options.config, create: true, patient: true });
  try {
    const gate = await startGate(house, {
      admin: isAdminProcess(),
      ...(cluster.isWorker ? { snapshots: shareMetrics(house.metrics) } : {}),
    });
    try {
      announce({ listening: gate.addresses, inbound: gate.inbound, admin: gate.admin });
      const reload = () => gate.reloadCertificates();
      process.on('SIGHUP', reload);
      await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
      process.off('SIGHUP', reload);
      house.log.info('stopping: running transactions may finish');
    } finally {
      await gate.stop();
    }
  } finally {
    await house.close();
  }
}
