import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { builtInHandlers } from '#worker/handlers/built-in';
import { createBuiltInConfig, createTempFolder } from '../../support/handler-context';

let folder: Awaited<ReturnType<typeof createTempFolder>>;
beforeEach(async () => {
  folder = await createTempFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

it('offers the nine task types, each name once', () => {
  const handlers = builtInHandlers(createBuiltInConfig(folder.path));
  expect(handlers.map(({ type, aliases = [] }) => [type, ...aliases])).toEqual([
    ['email'],
    ['data_processing', 'data'],
    ['file_conversion'],
    ['image_processing', 'image'],
    ['api_call'],
    ['report_generation'],
    ['text_processing'],
    ['ai_summarization', 'summarize'],
    ['batch_processing'],
  ]);
});

it('describes each type and its payload, in a JSON Schema that refuses unknown fields', () => {
  for (const { type, description, payload } of builtInHandlers(createBuiltInConfig(folder.path))) {
    expect(description, type).toBeTruthy();
    const schema = z.toJSONSchema(payload ?? z.never(), { io: 'input', unrepresentable: 'any' });
    expect(schema, type).toMatchObject({ type: 'object', additionalProperties: false });
    expect(JSON.stringify(schema), type).toContain('"description"');
  }
});
