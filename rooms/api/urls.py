"""The addresses of rooms, below /api/v1/."""

from django.urls import URLPattern, path

from rbac.api.base import CustomerView
from rooms.api.groups import GroupRooms, Groups, OneGroup
from rooms.api.rings import OneRing, RingRooms, Rings
from rooms.api.rollouts import (
    ForceRollout,
    OneRollout,
    PauseRollout,
    ResumeRollout,
    RetryRollout,
    RolloutRooms,
    Rollouts,
)
from rooms.api.rooms import OneRoom, Rooms

urlpatterns: list[URLPattern] = [
    path("customers/<uuid:tenant_id>/rooms/", Rooms.as_view(), name="api-rooms"),
    path("customers/<uuid:tenant_id>/rooms/<int:room_id>/", OneRoom.as_view(), name="api-room"),
    path("customers/<uuid:tenant_id>/groups/", Groups.as_view(), name="api-groups"),
    path("customers/<uuid:tenant_id>/groups/<int:group_id>/", OneGroup.as_view(), name="api-group"),
    path("customers/<uuid:tenant_id>/groups/<int:group_id>/rooms/", GroupRooms.as_view(), name="api-group-rooms"),
    path("customers/<uuid:tenant_id>/rings/", Rings.as_view(), name="api-rings"),
    path("customers/<uuid:tenant_id>/rings/<int:ring_id>/", OneRing.as_view(), name="api-ring"),
    path("customers/<uuid:tenant_id>/rings/<int:ring_id>/rooms/", RingRooms.as_view(), name="api-ring-rooms"),
    path("customers/<uuid:tenant_id>/rollouts/", Rollouts.as_view(), name="api-rollouts"),
    path("customers/<uuid:tenant_id>/rollouts/<int:rollout_id>/", OneRollout.as_view(), name="api-rollout"),
]

_of_rollout: dict[str, type[CustomerView]] = {
    "rooms": RolloutRooms,
    "pause": PauseRollout,
    "resume": ResumeRollout,
    "retry": RetryRollout,
    "force": ForceRollout,
}
urlpatterns += [
    path(f"customers/<uuid:tenant_id>/rollouts/<int:rollout_id>/{name}/", view.as_view(), name=f"api-rollout-{name}")
    for name, view in _of_rollout.items()
]
