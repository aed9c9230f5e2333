/**
 * The relay that everybody writes first: smtp-server in front, nodemailer's sendMail behind, no checks; the bench's measure.
 * `plain`: a transport as nodemailer's first example makes it. `pooled`: with twenty kept connections, as good as it gets.
 */
import nodemailer from 'nodemailer';
import { SMTPServer } from 'smtp-server';

const [port, upstreamPort, kind] = process.argv.slice(2);
const pool = kind === 'pooled' ? { pool: true, maxConnections: 20, maxMessages: Number.POSITIVE_INFINITY } : {};
const transport = nodemailer.createTransport({ host: '127.0.0.1', port: Number(upstreamPort), ignoreTLS: true, ...pool });

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
  onData(stream, session, callback) {
    const envelope = { from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map(rcpt => rcpt.address) };
    transport.sendMail({ envelope, raw: stream }).then(() => callback(), callback);
  },
});

server.listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
