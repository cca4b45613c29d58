// A plugin of TypeDoc: what a package exports is listed by the folder that it lies in, which says what it is about.
import { Comment, CommentTag, Converter } from 'typedoc'

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of project.children ?? []) {
      const source =
        reflection.sources?.[0]?.fullFileName ?? reflection.signatures?.[0]?.sources?.[0]?.fullFileName
      const [, folder] = source?.match(/\/packages\/[^/]+\/src\/([^/]+)\//) ?? []
      if (folder === undefined) continue
      const name = folder[0].toUpperCase() + folder.slice(1).replaceAll('-', ' ')
      const { comment } = reflection.signatures?.[0] ?? reflection
      const tag = new CommentTag('@category', [{ kind: 'text', text: name }])
      if (comment) comment.blockTags.push(tag)
      else (reflection.comment = new Comment()).blockTags.push(tag)
    }
  })
}
