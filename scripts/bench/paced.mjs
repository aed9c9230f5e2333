/**
 * What the import bench sends mail with: a smarthost that takes everything, and a sender at a fixed rate far below what the gate can do,
 * so that what is measured is how long a reply takes and not how many messages there are.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Listens on a port of its own; takes every message and forgets it. */
export async function startSink() {
  const server = createServer(socket => {
    let text = '';
    let inData = false;
    const say = line => socket.write(`${line}\r\n`);
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('error', () => undefined);
    socket.on('data', piece => {
      text += piece;
      for (;;) {
        const end = inData ? text.indexOf('\r\n.\r\n') : text.indexOf('\r\n');
        if (end < 0) return;
        const line = text.slice(0, end);
        text = text.slice(end + (inData ? 5 : 2));
        if (inData) say('250 2.0.0 taken');
        else if (/^DATA/i.test(line)) say('354 go on');
        else if (/^EHLO/i.test(line)) say('250-sink\r\n250-8BITMIME\r\n250 SMTPUTF8');
        else if (/^QUIT/i.test(line)) socket.end('221 2.0.0 bye\r\n');
        else say('250 2.0.0 ok');
        inData = !inData && /^DATA/i.test(line);
      }
    });
    say('220 sink');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: server.address().port, close: () => server.close() };
}

/** Sessions that stay; each sends one message after the other. */
export async function startSender(port, { sessions, from, mail }) {
  const all = await Promise.all(Array.from({ length: sessions }, () => Session.open(port)));
  const body = `${mail.replace(/\r?\n/g, '\r\n').replace(/^\./gm, '..')}\r\n.\r\n`;
  let sent = 0;
  return {
    /** Sends `rate` messages a second until `over()`; resolves to the milliseconds that each reply at RCPT and at the final dot took. */
    async send(rate, over) {
      const times = { rcpt: [], dot: [], late: 0 };
      const free = [...all];
      const going = new Set();
      const begun = performance.now();
      for (let due = begun; !over(); due += 1000 / rate) {
        await sleep(Math.max(0, due - performance.now()));
        const session = free.pop();
        // All of them wait for a reply: the message is not sent, and said to be late, which no good run has.
        if (session === undefined) {
          times.late += 1;
          continue;
        }
        const one = session.message(from, `someone${sent++}@prospect.example`, body, times).then(() => {
          free.unshift(session);
          going.delete(one);
        });
        going.add(one);
      }
      await Promise.all(going);
      return times;
    },
    close() {
      for (const session of all) session.close();
    },
  };
}

class Session {
  #socket;
  #text = '';
  #waiting;

  static async open(port) {
    const session = new Session();
    session.#socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
    session.#socket.on('data', piece => session.#take(piece));
    await session.#reply();
    await session.#ask('EHLO bench.example\r\n');
    return session;
  }

  async message(from, to, body, times) {
    await this.#ask(`MAIL FROM:<${from}>\r\n`);
    times.rcpt.push(await this.#timed(`RCPT TO:<${to}>\r\n`));
    await this.#ask('DATA\r\n');
    times.dot.push(await this.#timed(body));
  }

  close() {
    this.#socket.destroy();
  }

  async #timed(text) {
    const before = performance.now();
    await this.#ask(text);
    return performance.now() - before;
  }

  async #ask(text) {
    this.#socket.write(text);
    const reply = await this.#reply();
    if (!/^[23]/.test(reply)) throw new Error(`${text.slice(0, 40).trim()}: ${reply}`);
  }

  #reply() {
    return new Promise(resolve => {
      this.#waiting = resolve;
    });
  }

  #take(piece) {
    this.#text += piece;
    const last = /^\d{3} .*\r\n/m.exec(this.#text);
    if (last === null) return;
    this.#text = '';
    this.#waiting?.(last[0].trim());
  }
}
