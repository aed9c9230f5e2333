/** One SMTP conversation: takes lines, asks the gate, gives replies. Knows no sockets; the only place where a gate's fault becomes 451. */
import { isAccepted, type Reply, replyLine } from '../mail/reply.ts';
import type { Logger } from '../ops/log.ts';
import { parseCommand, parseHelo } from './command.ts';
import { describeFault } from './fault.ts';
import { isReply } from './gate.ts';
import { type MessageChannel, Passage, type PassageNeeds } from './passage.ts';
import { SessionPeer } from './peer.ts';
import * as say from './replies.ts';
import { beginSasl, MECHANISMS, type Step } from './sasl.ts';
import type { Line } from './wire.ts';
import { parseXclient, XCLIENT_ATTRIBUTES } from './xclient.ts';

/** What a session needs of its connection. */
export interface Channel extends MessageChannel {
  /** True where something came in behind the line in work. */
  pending(): boolean;
  startTls(): void;
  /** Sends what was given to it and ends the connection. */
  close(): void;
}

/** What all sessions of a listener share. */
export interface SessionNeeds<Login> extends PassageNeeds<Login> {
  readonly hostname: string;
  readonly log: Logger;
  /** A reason to turn connections away at the moment: stopping, or too many of them. */
  busy(): Reply | undefined;
  stopping(): boolean;
  /** Nobody needs to log in here, so nobody is asked to. */
  readonly withoutAuth?: boolean | undefined;
}

/** RFC 5321 §4.5.3.1.4 asks for 512 octets, and for more with each extension; AUTH may be longer (see Wire). */
const MAX_COMMAND = 2048;
const MAX_ERRORS = 10;
const MAX_COMMANDS_WITHOUT_MAIL = 100;
const MAX_FAILURES = 3;
const WEB = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|TRACE|CONNECT|PATCH) .*HTTP\/[0-9]/i;

export class Session<Login> {
  readonly #needs: SessionNeeds<Login>;
  readonly #channel: Channel;
  readonly #passage: Passage<Login>;
  #peer: SessionPeer;
  #mayXclient: boolean;
  #admitted = false;
  #running = false;
  #over = false;
  #login: { readonly login: Login } | undefined;
  #answer: ((line: string) => Step) | undefined;
  #errors = 0;
  #failures = 0;
  #withoutMail = 0;

  constructor(needs: SessionNeeds<Login>, channel: Channel, peer: SessionPeer, mayXclient: boolean) {
    this.#needs = needs;
    this.#channel = channel;
    this.#passage = new Passage(needs, channel, error => this.#fault(error));
    this.#peer = peer;
    this.#mayXclient = mayXclient;
  }

  /** As Passage.judging. */
  get judging(): boolean {
    return this.#passage.judging;
  }

  /** Asks the gate whether the client may come in, and greets. */
  greet(): void {
    const refusal = this.#needs.busy() ?? this.#admit();
    if (refusal !== undefined) this.part(refusal);
    // RFC 2034 §3: neither the greeting nor the answer to EHLO carries an enhanced status.
    else this.#channel.send(`220 ${this.#needs.hostname} ESMTP Postern\r\n`);
  }

  /** Answers one line. Never rejects. */
  async line(line: Line): Promise<void> {
    this.#running = true;
    try {
      const reply = await this.#respond(line);
      if (reply !== undefined) this.#reply(reply);
    } catch (error) {
      this.#fault(error);
      this.#reply(say.FAULT);
    }
    this.#running = false;
    if (this.#over) this.#finish();
    else if (this.#needs.stopping() && !this.#passage.open) this.part(say.STOPPING);
  }

  /** TLS is up; what was said in clear is forgotten already. */
  secured(description: string): void {
    this.#peer.secure = description;
  }

  /** Sends `reply` and ends the connection, whatever is going on. */
  part(reply: Reply): void {
    this.#channel.send(`${replyLine(reply)}\r\n`);
    this.#channel.close();
  }

  /** The listener stops: at once where nothing is under way, else when it is done. */
  stop(): void {
    if (!this.#running && !this.#passage.open) this.part(say.STOPPING);
  }

  /** The connection is over. What the gate is just asked is waited for. */
  closed(): void {
    this.#over = true;
    if (!this.#running) this.#finish();
  }

  #admit(): Reply | undefined {
    try {
      const refusal = this.#needs.gate.connect(this.#peer);
      this.#admitted = refusal === undefined;
      return refusal;
    } catch (error) {
      this.#fault(error);
      return say.NOT_ANSWERING;
    }
  }

  #finish(): void {
    this.#passage.end();
    this.#leave();
  }

  #leave(): void {
    if (!this.#admitted) return;
    this.#admitted = false;
    try {
      this.#needs.gate.closed(this.#peer);
    } catch (error) {
      this.#fault(error);
    }
  }

  #fault(error: unknown): void {
    this.#needs.log.error({ session: this.#peer.id, fault: describeFault(error) }, 'the gate failed; the client was told to try again');
  }

  #reply(reply: Reply): void {
    if (say.CLUMSY.has(reply) && ++this.#errors >= MAX_ERRORS) this.part(say.TOO_MANY_ERRORS);
    else if (reply.code === 421) this.part(reply);
    else this.#channel.send(`${replyLine(reply)}\r\n`);
  }

  #respond(line: Line): Reply | undefined | Promise<Reply | undefined> {
    const answer = this.#answer;
    this.#answer = undefined;
    if ('wrong' in line) {
      if (line.wrong === 'flood') return say.FLOOD;
      if (line.wrong === 'ending') return say.BAD_LINE;
      return answer === undefined ? say.LONG_LINE : say.LONG_SASL;
    }
    if (answer !== undefined) return this.#authenticate(answer(line.text));
    if (WEB.test(line.text)) return say.NO_WEB;
    const command = parseCommand(line.text);
    if (command === undefined) return say.UNKNOWN;
    if (line.text.length > MAX_COMMAND && command.verb !== 'AUTH') return say.LONG_LINE;
    if (command.verb !== 'RCPT' && ++this.#withoutMail > MAX_COMMANDS_WITHOUT_MAIL) return say.TOO_MANY_COMMANDS;
    return this.#obey(command.verb, command.argument);
  }

  #obey(verb: string, argument: string): Reply | undefined | Promise<Reply | undefined> {
    switch (verb) {
      case 'MAIL':
        return this.#mail(argument);
      case 'RCPT':
        return this.#passage.rcpt(argument);
      case 'DATA':
        return argument === '' ? this.#data() : say.ARGUMENTS;
      case 'RSET':
        if (argument !== '') return say.ARGUMENTS;
        this.#passage.end();
        return say.OK;
      case 'NOOP':
        return say.OK;
      case 'QUIT':
        if (argument !== '') return say.ARGUMENTS;
        this.part(say.BYE);
        return undefined;
      case 'EHLO':
      case 'HELO':
        return this.#hello(verb === 'EHLO', argument);
      case 'AUTH':
        return this.#auth(argument);
      case 'STARTTLS':
        return this.#startTls(argument);
      case 'XCLIENT':
        return this.#xclient(argument);
      case 'VRFY':
        return argument === '' ? say.ARGUMENTS : say.NOT_VERIFIED;
      case 'HELP':
        return say.HELP;
      case 'EXPN':
      case 'ETRN':
      case 'TURN':
      case 'BDAT':
        return say.NOT_OFFERED;
      default:
        return say.UNKNOWN;
    }
  }

  async #mail(argument: string): Promise<Reply> {
    if (this.#peer.helo === '') return say.GREET_FIRST;
    if (this.#needs.stopping()) return say.STOPPING;
    const reply = await this.#passage.mail(this.#peer, this.#login?.login, argument);
    if (isAccepted(reply)) this.#withoutMail = 0;
    return reply;
  }

  async #data(): Promise<Reply | undefined> {
    const reply = await this.#passage.data();
    if (reply !== undefined && isAccepted(reply)) this.#errors = 0;
    return reply;
  }

  #hello(extended: boolean, argument: string): undefined {
    const helo = parseHelo(argument);
    if (helo === undefined) {
      this.#channel.send('501 A host name is needed\r\n');
      return;
    }
    this.#passage.end();
    this.#peer.helo = helo;
    this.#peer.extended = extended;
    const lines = extended ? this.#offers() : [this.#needs.hostname];
    this.#channel.send(lines.map((line, i) => `250${i === lines.length - 1 ? ' ' : '-'}${line}\r\n`).join(''));
  }

  #offers(): string[] {
    const lines = [
      this.#needs.hostname,
      'PIPELINING',
      '8BITMIME',
      'SMTPUTF8',
      `SIZE ${this.#needs.maxMessageBytes}`,
      'ENHANCEDSTATUSCODES',
    ];
    if (this.#peer.secure === undefined) lines.push('STARTTLS');
    else if (this.#login === undefined && this.#needs.withoutAuth !== true) lines.push(`AUTH ${MECHANISMS.join(' ')}`);
    if (this.#mayXclient) lines.push(`XCLIENT ${XCLIENT_ATTRIBUTES.join(' ')}`);
    return lines;
  }

  #auth(argument: string): Reply | undefined | Promise<Reply | undefined> {
    if (this.#needs.withoutAuth === true) return say.NOT_OFFERED;
    if (this.#peer.helo === '') return say.GREET_FIRST;
    if (this.#peer.secure === undefined) return say.NEEDS_TLS;
    if (this.#login !== undefined) return say.LOGGED_IN_ALREADY;
    if (this.#passage.open) return say.IN_TRANSACTION;
    if (this.#failures >= MAX_FAILURES) return say.TOO_MANY_FAILURES;
    const [mechanism = '', initial, ...more] = argument.split(' ');
    if (mechanism === '' || more.length > 0) return say.ARGUMENTS;
    return this.#authenticate(beginSasl(mechanism, initial));
  }

  async #authenticate(step: Step): Promise<Reply | undefined> {
    if ('refusal' in step) return step.refusal;
    if ('challenge' in step) {
      this.#answer = step.next;
      this.#channel.send(`334 ${step.challenge}\r\n`);
      return undefined;
    }
    const answer = await this.#needs.gate.authenticate(this.#peer, step.username, step.password);
    if (isReply(answer)) {
      this.#failures++;
      return answer;
    }
    this.#login = answer;
    this.#peer.authenticated = true;
    this.#withoutMail = 0;
    return say.LOGGED_IN;
  }

  #startTls(argument: string): Reply | undefined {
    if (argument !== '') return say.ARGUMENTS;
    if (this.#peer.secure !== undefined) return say.TLS_ACTIVE;
    // RFC 3207 §4.2: commands slipped in before the handshake would run as if they had been sent under TLS.
    if (this.#channel.pending()) {
      this.part(say.PIPELINED_TLS);
      return undefined;
    }
    this.#passage.end();
    this.#login = undefined;
    this.#peer.forget();
    this.#channel.send(`${replyLine(say.START_TLS)}\r\n`);
    this.#channel.startTls();
    return undefined;
  }

  #xclient(argument: string): Reply | undefined {
    if (!this.#mayXclient) return say.XCLIENT_REFUSED;
    if (this.#passage.open) return say.IN_TRANSACTION;
    const parsed = parseXclient(argument);
    if (isReply(parsed)) return parsed;
    this.#login = undefined;
    this.#peer.forget();
    this.#leave();
    if (parsed.address !== undefined) {
      // From here on the client speaks, who must not name itself.
      this.#mayXclient = false;
      this.#peer = new SessionPeer(this.#peer.id, parsed.address, this.#peer.secure);
    }
    this.greet();
    return undefined;
  }
}
