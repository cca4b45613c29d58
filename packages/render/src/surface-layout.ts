/** Channels of light: linear diffuse, then specular. */
export const LIGHT_CHANNELS = 6
/** Channels of a surface: those of light, the share of the face, the share of the inner mouth. */
export const SURFACE_CHANNELS = LIGHT_CHANNELS + 2
