/** Handlers of the files that tasks wrote. */
import { QueueError } from '#queue/contract/errors';
import type { taskRoutes } from '#queue/contract/http-tasks';
import { listArtifacts, openArtifact } from '../artifact-files';
import type { HandlerDeps, HandlersOf } from '../handlers';

export function createArtifactHandlers({
  reader,
  settings,
}: HandlerDeps): Pick<HandlersOf<typeof taskRoutes>, 'listArtifacts' | 'getArtifact'> {
  const { artifactsDir } = settings;
  return {
    async listArtifacts({ params: { id } }) {
      const artifacts = artifactsDir === null ? [] : await listArtifacts(artifactsDir, id);
      if (artifacts.length === 0) {
        const [task] = await reader.getTasks([id]);
        if (!task) throw new QueueError('TASK_NOT_FOUND', `there is no task ${id}`);
      }
      return { status: 200, body: { artifacts } };
    },

    async getArtifact({ params: { id, name } }) {
      const file = artifactsDir === null ? null : await openArtifact(artifactsDir, id, name);
      if (file === null) throw new QueueError('NOT_FOUND', `task ${id} has no artifact of this name`);
      return new Response(file.body, {
        headers: {
          'content-type': 'application/octet-stream',
          'content-length': String(file.bytes),
          'content-disposition': attachment(name),
        },
      });
    },
  };
}

/** RFC 6266: a plain name for old clients, the true one beside it. */
function attachment(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const exact = encodeURIComponent(name).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
