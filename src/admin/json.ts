/** JSON bodies, held to a shape that is read in milliseconds before anything is made of them: brackets alone keep JSON.parse busy for seconds. */
import type { FastifyRequest } from 'fastify';
import type { App } from './app.ts';
import { BodyRefused } from './body.ts';

/** Arrays and objects within each other; no body has more than some ten. */
const MAX_DEPTH = 32;
/** Elements of all arrays and members of all objects together: those of the longest batch twice. */
const MAX_PARTS = 300_000;
/** Members of one object. */
const MAX_MEMBERS = 250;

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Lays the bounds before the parser of JSON; a context that has none of it is not concerned. */
export function boundJson(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request: FastifyRequest, body: string, done) => {
    const refused = beyondBounds(body);
    if (refused === undefined) parse(request, body, done);
    else done(refused);
  });
}

/** Why the text is too much to be parsed. Says nothing of text that is no JSON: the parser does. */
export function beyondBounds(text: string): BodyRefused | undefined {
  const open: { readonly isObject: boolean; parts: number }[] = [];
  let parts = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      if (open.length === MAX_DEPTH) return new BodyRefused('bad-request', `the body is nested deeper than ${MAX_DEPTH} levels`);
      open.push({ isObject: code === OPEN_OBJECT, parts: 1 });
      parts += 1;
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) open.pop();
    else if (code === COMMA) {
      parts += 1;
      const within = open.at(-1);
      if (within === undefined) continue;
      within.parts += 1;
      if (within.isObject && within.parts > MAX_MEMBERS)
        return new BodyRefused('bad-request', `an object of the body has more than ${MAX_MEMBERS} members`);
    }
    if (parts > MAX_PARTS) return new BodyRefused('too-large', `the body has more than ${MAX_PARTS} parts; send it in parts`);
  }
  return undefined;
}

/** Where the string ends that begins at `from`; the end of the text where it does not. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return text.length;
}
