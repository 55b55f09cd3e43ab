"""The storage of evidence as an entry of STORAGES: a private folder, or a bucket that speaks S3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured


def evidence_storage(
    folder: Path, *, bucket: str, endpoint: str, region: str, access_key: str, secret_key: str
) -> dict[str, Any]:
    """The folder unless a bucket is named.

    Raises:
        ImproperlyConfigured: half of the settings of a bucket. Files would go to the folder, or
            nowhere, and nobody would notice before the day they are looked for.
    """
    if bool(access_key) != bool(secret_key) or (not bucket and (endpoint or access_key)):
        raise ImproperlyConfigured(
            "Evidence in an object store needs EVIDENCE_S3_BUCKET, and EVIDENCE_S3_ACCESS_KEY together with EVIDENCE_S3_SECRET_KEY."
        )
    if not bucket:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": folder,
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    from botocore.config import Config  # 60 ms and 20 MB that only this kind of installation pays

    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": endpoint or None,
            "region_name": region or None,
            "access_key": access_key or None,
            "secret_key": secret_key or None,
            "default_acl": None,
            "querystring_auth": False,
            "file_overwrite": False,
            "client_config": Config(
                signature_version="s3v4",
                # Stores other than Amazon's often have no names of hosts for buckets, and do not know
                # the checksums that the client adds by default.
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                # A page waits for this; a store that is away must not hold a worker for minutes.
                connect_timeout=5,
                read_timeout=20,
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
        },
    }
