/**
 * Markdown to HTML, HTML to text. Markdown may hold any HTML, and the page may be opened next to the console: what
 * comes out has no script, no event attribute, no style, no frame, and links that lead to the web or to a mailbox only.
 */
import type { IOptions } from 'sanitize-html';
import { escapeHtml } from '../escape-html';

/** Bytes of text; both converters hold it several times over. */
export const MAX_MARKUP_BYTES = 8 * 1024 * 1024;

const STYLE = `body{font:16px/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1d2430}
pre,code{font-family:ui-monospace,monospace;background:#f2f4f7;border-radius:4px}pre{padding:.8rem;overflow:auto}code{padding:.1em .3em}
table{border-collapse:collapse}th,td{border:1px solid #d5dae1;padding:.3rem .6rem}blockquote{border-left:4px solid #d5dae1;margin-left:0;padding-left:1rem}img{max-width:100%}`;

/** A whole page, or with `fragment` only what would stand in its body. */
export async function markdownToHtml(markdown: string, title: string, fragment: boolean): Promise<string> {
  const [{ Marked }, { default: sanitize }] = await Promise.all([import('marked'), import('sanitize-html')]);
  const dirty = await new Marked({ gfm: true }).parse(markdown, { async: true });
  const body = sanitize(dirty, allowed(sanitize.defaults.allowedTags));
  if (fragment) return body;
  const policy = "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'";
  return `<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

const allowed = (tags: readonly string[]): IOptions => ({
  allowedTags: [...tags, 'img', 'input', 'del', 'ins', 'details', 'summary'],
  allowedAttributes: {
    a: ['href', 'title', 'rel'],
    img: ['src', 'alt', 'title', 'width', 'height'],
    input: ['type', 'checked', 'disabled'],
    code: ['class'],
    th: ['align', 'colspan', 'rowspan'],
    td: ['align', 'colspan', 'rowspan'],
    ol: ['start'],
  },
  allowedClasses: { code: [/^language-[\w+-]+$/] },
  allowedSchemes: ['http', 'https', 'mailto'],
  allowedSchemesByTag: { img: ['http', 'https', 'data'] },
  allowProtocolRelative: false,
  // task lists have check boxes; any other input would be a form
  exclusiveFilter: ({ tag, attribs }) => tag === 'input' && attribs.type !== 'checkbox',
  transformTags: {
    a: (tagName, attribs) => ({ tagName, attribs: { ...attribs, rel: 'noopener noreferrer' } }),
    input: (tagName, attribs) => ({ tagName, attribs: { ...attribs, disabled: '' } }),
  },
});

export async function htmlToText(html: string): Promise<string> {
  const { convert } = await import('html-to-text');
  const text = convert(html, {
    wordwrap: false,
    limits: { maxInputLength: MAX_MARKUP_BYTES, maxDepth: 200 },
    selectors: [
      { selector: 'a', options: { hideLinkHrefIfSameAsText: true, ignoreHref: false } },
      { selector: 'img', format: 'skip' },
      { selector: 'table', format: 'dataTable', options: { uppercaseHeaderCells: false } },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
    ],
  });
  return `${text}\n`;
}
