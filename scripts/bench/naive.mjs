/** The relay that everybody writes first: smtp-server in front, nodemailer's pooled sendMail behind, no checks. The bench's measure. */
import nodemailer from 'nodemailer';
import { SMTPServer } from 'smtp-server';

const [port, upstreamPort] = process.argv.slice(2).map(Number);

const transport = nodemailer.createTransport({
  host: '127.0.0.1',
  port: upstreamPort,
  pool: true,
  maxConnections: 20,
  maxMessages: Infinity,
  ignoreTLS: true,
});

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
  onData(stream, session, callback) {
    const chunks = [];
    stream.on('data', chunk => chunks.push(chunk));
    stream.on('end', () => {
      const envelope = { from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map(rcpt => rcpt.address) };
      transport.sendMail({ envelope, raw: Buffer.concat(chunks) }).then(() => callback(), callback);
    });
  },
});

server.listen(port, '127.0.0.1', () => process.stdout.write('listening\n'));
process.on('SIGTERM', () => process.exit(0));
