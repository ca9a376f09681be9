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

it('does not follow a nesting into the end of the stack', () => {
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  expect(accepts(deep)).toBe(true);
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
