import { DOCUMENT_TYPES, IMAGE_TYPES } from '#contracts';
import { invalid } from './api-error.js';
import { checkFields, checkString, type Fields, type Place } from './field-check.js';

const SOURCE = new Set(['type', 'media_type', 'data']);
/** The API's limit for one image, in bytes. */
const MAX_IMAGE_BYTES = 5 * 1024 * 1024;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** How files of a type begin, as Latin-1. */
const BEGINNINGS: readonly (readonly [string, RegExp])[] = [
  ['image/png', /^\x89PNG\r\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[^]{4}WEBP/],
  ['application/pdf', /^%PDF-/],
];

/** Asserts the source of an image. */
export function checkImage({ source }: Fields, place: Place): void {
  const type = mediaTypeOf(source, place, IMAGE_TYPES);
  const bytes = bytesOf(source, () => `${place()}.image.source.base64`);
  if (bytes.length > MAX_IMAGE_BYTES) {
    throw invalid(`${place()}.image.source.base64: image exceeds 5 MB maximum: ${bytes.length} bytes`);
  }
  checkBeginning(bytes, type, () => `${place()}.image.source.base64.data`);
}

/** Asserts the source of a document: a PDF, or plain text. */
export function checkDocument({ source }: Fields, place: Place): void {
  const type = mediaTypeOf(source, place, DOCUMENT_TYPES);
  if (type === 'text/plain') {
    const { data } = source as Fields;
    checkString(data, () => `${place()}.document.source.text.data`);
    if (!/\S/.test(data)) throw invalid(`${place()}.document.source.text.data: must contain non-whitespace text`);
    return;
  }
  const bytes = bytesOf(source, () => `${place()}.document.source.base64`);
  checkBeginning(bytes, type, () => `${place()}.document.source.base64.data`);
}

function mediaTypeOf(source: unknown, place: Place, known: readonly string[]): string {
  const { type, media_type: mediaType } = checkFields(source, SOURCE, () => `${place()}.source`);
  const wanted = mediaType === 'text/plain' ? 'text' : 'base64';
  if (typeof mediaType !== 'string' || !known.includes(mediaType)) {
    throw invalid(`${place()}.source.media_type: Input should be one of ${known.join(', ')}`);
  }
  if (type !== wanted) throw invalid(`${place()}.source.type: the model simulator reads ${mediaType} as '${wanted}'`);
  return mediaType;
}

function bytesOf(source: unknown, place: Place): Buffer {
  const { data } = source as Fields;
  checkString(data, () => `${place()}.data`);
  if (data.length % 4 !== 0 || !BASE64.test(data)) throw invalid(`${place()}.data: Input should be valid base64`);
  return Buffer.from(data, 'base64');
}

function checkBeginning(bytes: Buffer, type: string, place: Place): void {
  const beginning = bytes.toString('latin1', 0, 16);
  const [found] = BEGINNINGS.find(([, pattern]) => pattern.test(beginning)) ?? ['something else'];
  if (found !== type) throw invalid(`${place()}: it is said to be ${type}, but it appears to be ${found}`);
}
