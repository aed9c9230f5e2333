/** Takes leave of who still sends: a connection closed with octets unread is reset, and the answer on its way is lost with it (RFC 9112 §9.6). */
import type { IncomingMessage } from 'node:http';

/** Longest time for it. Whoever stands in between (proxies answer 502 to a reset) has the answer by then. */
const LINGER_MS = 5_000;

/** Before an answer that ends the connection: what still comes of the request is read and dropped, for a while, before it is closed. */
export function linger(request: IncomingMessage): void {
  const { socket } = request;
  const close = socket.destroySoon.bind(socket);
  socket.destroySoon = () => {
    socket.destroySoon = close;
    if (request.complete) return close();
    const late = setTimeout(close, LINGER_MS);
    request.once('end', close);
    socket.once('close', () => clearTimeout(late));
    request.unpipe();
    request.resume();
  };
}
