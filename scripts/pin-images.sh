#!/bin/sh
# Adds to each image of docker-compose.yml and the Dockerfile the digest that its tag has now: the same bytes for
# everybody, whatever becomes of the tag. Needs Docker with buildx and the registry. Run it again after raising a tag.
#   sh scripts/pin-images.sh
set -eu
cd "$(dirname -- "$0")/.."

digest_of() { # $1: image with a tag
  docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1"
}

pin() { # $1: file, $2: image with a tag, without digest
  digest=$(digest_of "$2")
  case $digest in
    sha256:*) ;;
    *) echo "no digest for $2" >&2; exit 1 ;;
  esac
  escaped=$(printf '%s' "$2" | sed 's/[.\/]/\\&/g')
  sed -E "s/${escaped}(@sha256:[0-9a-f]{64})?/$2@$digest/" "$1" >"$1.new"
  cat "$1.new" >"$1" && rm "$1.new"
  echo "$1: $2@$digest"
}

images_in() { # $1: file, $2: keyword before the image; our own image is built, not pulled
  sed -nE "s/^ *$2 +([^ @]+:[^ @]+).*/\1/p" "$1" | grep -v '^gatehouse:' | sort -u
}

for image in $(images_in docker-compose.yml 'image:'); do pin docker-compose.yml "$image"; done
for image in $(images_in Dockerfile 'FROM'); do pin Dockerfile "$image"; done
