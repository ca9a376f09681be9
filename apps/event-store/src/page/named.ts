import { type Html, html } from '#platform';

/** A name whose blanks at its ends, or in a row, can be told. */
export const named = (name: string): Html =>
  html`<bdi>${name.replace(/^\s|\s$|(?<=\s)\s/g, (blank) => `\\u{${blank.charCodeAt(0).toString(16)}}`)}</bdi>`;
