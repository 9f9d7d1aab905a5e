/**
 * `decide` and `look` of sliding-window.ts in Lua, for Redis to run in one step: a test holds both
 * against one table.
 *
 * KEYS: one for each request. ARGV: for each request one text of four numbers: the limit; the
 * window in ms; 1 to count, 0 to look, or 2 to count only when the one before was let through; how
 * many were let through without Redis since. One more argument may give the time in ms; without it
 * the clock of Redis counts, which all replicas share.
 *
 * Gives five numbers for each request: allowed (1 or 0), used, ms to the end of the window, ms to
 * wait, refused in this window.
 */
export const limitScript = `
local now = tonumber(ARGV[#KEYS + 1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function fadedAfter(window, count, room)
  if count <= room then return 0 end
  return math.floor(window - (room + 1) * window / count) + 1
end

local answers = {}
local function answer(...)
  for _, value in ipairs({...}) do answers[#answers + 1] = value end
end

local function keep(key, start, previous, current, refused, ms)
  redis.call('SET', key, string.format('%.0f %.0f %.0f %.0f', start, previous, current, refused), 'PX', ms)
end

local function count(key, limit, window, isLook, unsynced)
  local start, previous, current, refused = now, 0, 0, 0
  local stored = redis.call('GET', key)
  if stored then
    local at, before, within, no = string.match(stored, '^(%d+) (%d+) (%d+) (%d+)$')
    local age = now - at
    if age < 0 then
      previous, current, refused = tonumber(before), tonumber(within), tonumber(no)
    elseif age < window then
      start, previous, current, refused = tonumber(at), tonumber(before), tonumber(within), tonumber(no)
    elseif age < 2 * window then
      start, previous = at + window, tonumber(within)
    end
  end

  current = current + unsynced
  local age = now - start
  local left = window - age
  local used = current + math.floor(previous * left / window)
  if isLook then
    if unsynced > 0 then keep(key, start, previous, current, refused, left + window) end
    answer(1, used, left, 0, refused)
    return false
  end

  local allowed, wait = 1, 0
  if used < limit then
    current, used = current + 1, used + 1
  else
    allowed, refused = 0, refused + 1
    local room = limit - 1 - current
    wait = room >= 0 and fadedAfter(window, previous, room) - age or left + fadedAfter(window, current, limit - 1)
  end
  keep(key, start, previous, current, refused, left + window)
  answer(allowed, used, left, wait, refused)
  return allowed == 0
end

local isRefused = false
for at, key in ipairs(KEYS) do
  local limit, window, requests, unsynced = string.match(ARGV[at], '^(%d+) (%d+) (%d) (%d+)$')
  local isHeld = requests == '2' and isRefused
  local isFull = count(key, tonumber(limit), tonumber(window), requests == '0' or isHeld, tonumber(unsynced))
  isRefused = isHeld or isFull
end
return answers
`;

/**
 * Says that a replica lives, and counts the replicas that said so lately. KEYS: one. ARGV: the
 * replica's id, and for how many ms it counts as alive.
 */
export const heartbeatScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
`;
