import { expect, test } from 'vitest';

import { mergePatch } from './json-object.js';

// RFC 7396, appendix A, as it stands there
test.for<[original: string, patch: string, result: string]>([
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
])('%s with %s becomes %s', ([original, patch, result]) => {
  const [target, change] = [JSON.parse(original), JSON.parse(patch)];
  expect(JSON.stringify(mergePatch(target, change))).toBe(result);
  expect([JSON.stringify(target), JSON.stringify(change)]).toEqual([original, patch]);
});

test('members of every object are none of this one, and no name reaches a prototype', () => {
  const patch = JSON.parse('{"constructor":{"prototype":{"a":1}},"__proto__":{"b":2}}');
  const merged = mergePatch({}, patch);
  expect(JSON.stringify(merged)).toBe(JSON.stringify(patch));
  expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  expect([Reflect.get(Object, 'a'), Reflect.get({}, 'a'), Reflect.get({}, 'b')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
