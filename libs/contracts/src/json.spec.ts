import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { Json, JsonObject } from './json.js';

const accepts = (value: unknown): boolean => Json.safeParse(value).success;

it('takes what JSON can say, and leaves it as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const read: unknown = JSON.parse(JSON.stringify(value));
      expect(Json.parse(read)).toBe(read);
    }),
  );
});

it('takes objects of another realm, and objects without a prototype', () => {
  expect(accepts(runInNewContext('({ a: [1] })'))).toBe(true);
  expect(accepts(Object.assign(Object.create(null), { a: 1 }))).toBe(true);
});

it.each([
  ['undefined', undefined],
  ['a number that is none', Number.NaN],
  ['an endless number', Number.POSITIVE_INFINITY],
  ['a big integer', 1n],
  ['a function', () => undefined],
  ['a symbol', Symbol('a')],
  ['a date', new Date(0)],
  ['a map', new Map()],
])('refuses %s, at any depth', (_, value) => {
  expect(accepts(value)).toBe(false);
  expect(accepts([value])).toBe(false);
  expect(accepts({ a: { b: [value] } })).toBe(false);
  expect(JsonObject.safeParse({ a: value }).success).toBe(false);
});

it('refuses a hole in a list, which JSON would write as null', () => {
  expect(accepts(Array(2))).toBe(false);
});

function nested(levels: number): unknown {
  let deep: unknown = 1;
  for (let level = 0; level < levels; level += 1) deep = level % 2 ? [deep] : { deep };
  return deep;
}

it('refuses what is nested too deep to be written, or without an end', () => {
  expect(accepts(nested(1_500))).toBe(true);
  expect(accepts(nested(1_501))).toBe(false);
  expect(accepts(nested(100_000))).toBe(false);
  const endless: unknown[] = [];
  endless.push(endless);
  expect(accepts(endless)).toBe(false);
});

it.each([
  ['a list', []],
  ['nothing', null],
  ['a word', 'a'],
  ['a class of its own', new (class A {})()],
])('knows that %s is no object', (_, value) => {
  expect(JsonObject.safeParse(value)).toMatchObject({
    success: false,
    error: { issues: [{ message: 'is no JSON object' }] },
  });
});

it('says what is wrong', () => {
  expect(Json.safeParse(undefined).error?.issues[0]?.message).toBe('is no JSON value');
});
