export { createProject, templates, type ProjectOptions, type TemplateName } from './create-project.js'
