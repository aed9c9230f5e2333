/** A second process that suppresses people of acme until it is killed, and tells which were acknowledged. */
import { ACME, address, openHouse } from './house.ts';

const [dir = '', name = '', limit = '100000'] = process.argv.slice(2);
const { lists } = await openHouse(dir);

const loop = async (start: number) => {
  for (let n = start; n < Number(limit); n += 4) {
    const person = `${name}${n}@example.com`;
    await lists.suppress({ owner: ACME }, address(person), { reason: 'objection', source: 'inbound' });
    process.stdout.write(`${person}\n`);
  }
};
await Promise.all([0, 1, 2, 3].map(loop));
process.stdout.write('done\n');
process.exit();
