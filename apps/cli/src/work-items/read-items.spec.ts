import { parseItems } from './read-items.js';

describe('reading work items', () => {
  it('names a string by itself, an object by its id, and anything else by its place from 1', () => {
    expect(parseItems('["a.txt", {"id": 7, "x": 1}, {"x": 2}]', 'items.json')).toEqual([
      { id: 'a.txt', input: 'a.txt' },
      { id: '7', input: { id: 7, x: 1 } },
      { id: '3', input: { x: 2 } },
    ]);
  });

  it('reads JSON lines and leaves empty ones out', () => {
    expect(parseItems('"a"\n\n{"id":"b"}\n', 'items.jsonl').map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('reads a row of CSV as an object', () => {
    const text = '\uFEFFid,name\n1,"Smith, A."\n2,B\n';
    expect(parseItems(text, 'items.csv')).toEqual([
      { id: '1', input: { id: '1', name: 'Smith, A.' } },
      { id: '2', input: { id: '2', name: 'B' } },
    ]);
  });

  it.each([
    ['items.jsonl', '"a"\n{', /items\.jsonl: line 2: this is not JSON/],
    ['items.json', '["a",\n {"id":', /items\.json: line 2: this is not JSON/],
    ['items.json', `["a",\n }\n${' '.repeat(100)}]`, /items\.json: (line 2: )?this is not JSON/],
    ['items.json', '{}', /is a list/],
    ['items.json', '[]', /holds no items/],
    ['items.json', '["a", 3]', /item 2: an item is a string or an object/],
    ['items.json', '["a", "a"]', /item 2: the id "a" is used already by item 1/],
    ['items.txt', 'a', /come from a \.json, \.jsonl or \.csv file/],
    ['items.csv', 'a,b\n1\n', /not CSV.*line 2/],
    ['items.csv', 'id,x\n1,2\n\n1,3\n', /line 4: the id "1" is used already by line 2/],
    ['items.csv', 'id,x\n,3\n', /line 2: the id of an item \(its field `id`\) has 1 to 500 characters/],
    ['items.csv', 'id,x\n', /holds no items: write one at least/],
  ])('says what is wrong with %s holding %j', (file, text, sentence) => {
    expect(() => parseItems(text, file)).toThrow(sentence);
  });
});
