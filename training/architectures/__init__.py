"""One network a file, each with `build() -> keras.Model`; the folder is the registry."""
