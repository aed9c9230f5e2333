/** The Lua that Redis runs for an owner as one step: its look-ups, its changes, and a stretch of a set. */
import { createHash } from 'node:crypto';

export interface Script {
  readonly text: string;
  readonly sha: string;
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/** How a record is looked up in its sorted set: the only member that begins with the id and NUL. */
const RECORD = `
local function member(key, id)
  return redis.call('ZRANGEBYLEX', key, '[' .. id .. '\\0', '(' .. id .. '\\1', 'LIMIT', 0, 1)[1]
end
local function record(key, id)
  local held = member(key, id)
  return held and string.sub(held, #id + 2)
end`;

/** KEYS: where each looked-up key lies. ARGV: for each, `e` (entry) or `r` (record) and its id. Half the client's CPU of a pipeline. */
export const FIND = script(`${RECORD}
local found = {}
for i = 1, #KEYS do
  local id = ARGV[i * 2]
  if ARGV[i * 2 - 1] == 'e' then found[i] = redis.call('HGET', KEYS[i], id) else found[i] = record(KEYS[i], id) or false end
end
return found`);

/**
 * KEYS: where each step's key lies. ARGV: for each step `<what><e|r>`, id, value; what is `=` (must hold this value), `!` (must hold
 * nothing), `+` (put) or `-` (delete). Expectations come before changes. Returns 1, or 0 where an expectation failed.
 * A put begins with a command that Redis refuses when memory is short: after a script's first write it no longer would.
 */
export const APPLY = script(`${RECORD}
for i = 1, #KEYS do
  local key, step, id, value = KEYS[i], ARGV[i * 3 - 2], ARGV[i * 3 - 1], ARGV[i * 3]
  local what, entry = string.sub(step, 1, 1), string.sub(step, 2, 2) == 'e'
  if what == '=' or what == '!' then
    local held
    if entry then held = redis.call('HGET', key, id) else held = record(key, id) end
    if (what == '=' and held ~= value) or (what == '!' and held) then return 0 end
  elseif entry then
    if what == '+' then redis.call('HSET', key, id, value) else redis.call('HDEL', key, id) end
  else
    local old, new = member(key, id), what == '+' and id .. '\\0' .. value
    if new and new ~= old then redis.call('ZADD', key, 0, new) end
    if old and new ~= old then redis.call('ZREM', key, old) end
  end
end
return 1`);

/** KEYS: buckets of a set. ARGV: how many entries are enough. Returns how many buckets were read, and their ids and values in turn. */
export const READ_BUCKETS = script(`
local found, n, enough = {}, 0, tonumber(ARGV[1]) * 2
for i = 1, #KEYS do
  local held = redis.call('HGETALL', KEYS[i])
  for j = 1, #held do found[n + j] = held[j] end
  n = n + #held
  if n >= enough then return { i, found } end
end
return { #KEYS, found }`);
