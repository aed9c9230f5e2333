/** `postern campaign add|update|list|show`: a client's campaigns and the company domains they are aimed at. */
import type { Command } from 'commander';
import { type Common, command, looksLikeHost, type OnRecord, onRecord, Repeatable, whoOf, withHouse } from './command.ts';
import { CommandFailure, usage } from './exit.ts';
import { printJson, printLine, printTable } from './output.ts';
import { knownClient, settled } from './settled.ts';

export function addCampaignCommands(program: Command): void {
  const group = program.command('campaign').description('campaigns of a client, with the company domains they may reach');
  onRecord(command(group, 'add <client> <id>', 'register a campaign; without target domains it has no such limit'))
    .addOption(targetDomain())
    .action(add);
  onRecord(command(group, 'update <client> <id>', 'change its target domains'))
    .addOption(targetDomain())
    .option('--no-target-domain', 'it has no such limit')
    .action(update);
  command(group, 'list <client>', "a client's campaigns").action(list);
  command(group, 'show <client> <id>', 'one campaign').action(show);
}

function targetDomain(): Repeatable {
  return new Repeatable('--target-domain <domain>', 'a company domain this campaign may mail, subdomains included', looksLikeHost);
}

async function add(client: string, id: string, options: OnRecord & { targetDomain?: string[] }): Promise<void> {
  await withHouse(options, async house => {
    const campaign = settled(await house.clients.addCampaign(client, id, options.targetDomain ?? [], whoOf(options)));
    if (options.json === true) printJson(campaign);
    else printLine(`campaign ${client}/${campaign.id} added`);
  });
}

async function update(client: string, id: string, options: OnRecord & { targetDomain?: string[] | false }): Promise<void> {
  const { targetDomain } = options;
  // Left out by mistake it would take the limit away.
  if (targetDomain === undefined) throw usage('say --target-domain for each domain it may mail, or --no-target-domain');
  await withHouse(options, async house => {
    const campaign = settled(await house.clients.updateCampaign(client, id, targetDomain || [], whoOf(options)));
    if (options.json === true) printJson(campaign);
    else printLine(`campaign ${client}/${campaign.id} changed`);
  });
}

async function list(client: string, options: Common): Promise<void> {
  await withHouse(options, async house => {
    const campaigns = [...(await knownClient(house, client)).campaigns.values()];
    if (options.json === true) printJson(campaigns);
    else
      printTable(
        ['campaign', 'target domains'],
        campaigns.map(({ id, targetDomains }) => [id, targetDomains.join(' ') || 'any']),
      );
  });
}

async function show(client: string, id: string, options: Common): Promise<void> {
  await withHouse(options, async house => {
    const campaign = [...(await knownClient(house, client)).campaigns.values()].find(one => one.id === id);
    if (campaign === undefined) throw new CommandFailure(`client ${client} has no campaign '${id}'`);
    if (options.json === true) printJson(campaign);
    else printLine(`${client}/${campaign.id}: ${campaign.targetDomains.join(' ') || 'any domain'}`);
  });
}
