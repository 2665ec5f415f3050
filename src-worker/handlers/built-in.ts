/** The task types that come with Millrace, in the order in which the console offers them. */
import type { AnyHandler, BuiltInConfig } from '../handler';
import { createAiSummarizationHandler } from './ai-summarization';
import { createApiCallHandler } from './api-call';
import { createBatchProcessingHandler } from './batch-processing';
import { createDataProcessingHandler } from './data-processing';
import { createEmailHandler } from './email';
import { createFileConversionHandler } from './file-conversion';
import { createImageProcessingHandler } from './image-processing';
import { createReportGenerationHandler } from './report-generation';
import { createTextProcessingHandler } from './text-processing';

export function builtInHandlers(config: BuiltInConfig): AnyHandler[] {
  return [
    createEmailHandler(config),
    createDataProcessingHandler(config),
    createFileConversionHandler(config),
    createImageProcessingHandler(config),
    createApiCallHandler(config),
    createReportGenerationHandler(config),
    createTextProcessingHandler(config),
    createAiSummarizationHandler(config),
    createBatchProcessingHandler(config),
  ];
}
